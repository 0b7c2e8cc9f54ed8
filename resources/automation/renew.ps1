#Requires -Version 5.1
# Made by AnsFlow Desktop. Renews the token of a ServiceAccount: asks for a new one (TokenRequest), tries it, and only
# then puts it into the kubeconfig Target, which only you can read. The old one stays until then. No token is ever an
# argument.
#
# Who asks: the token in Target where that still works (its account needs the right to create its own
# serviceaccounts/token), else the context Context of the kubeconfig Source.
# Exit codes: 0 renewed; 1 the new token could not be used, nothing was changed; 3 nobody could ask for one.
[CmdletBinding()]
param(
    [string]$Target = @@TARGET@@,
    [string]$Source = @@SOURCE@@,
    [string]$Context = @@CONTEXT@@,
    [string]$Kubectl = @@KUBECTL@@
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$Namespace = @@NAMESPACE@@
$Account = @@ACCOUNT@@
$Duration = @@DURATION@@
$Cluster = @@CLUSTER@@
$Head = @@CONFIG_HEAD@@
$Tail = @@CONFIG_TAIL@@

function Resolve-Home([string]$Path) {
    if ($Path.StartsWith('~/')) { return Join-Path $HOME $Path.Substring(2) }
    return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
}

function Invoke-Kubectl([string]$Kubeconfig, [string[]]$Arguments) {
    $before = $env:KUBECONFIG
    try {
        $env:KUBECONFIG = $Kubeconfig
        $env:KUBERC = 'off'
        $said = & $Kubectl @Arguments
        return [pscustomobject]@{ Worked = ($LASTEXITCODE -eq 0); Text = ($said -join "`n").Trim() }
    }
    finally {
        $env:KUBECONFIG = $before
    }
}

function Get-NewToken([string]$Kubeconfig, [string]$Name) {
    $arguments = @('--request-timeout=20s', 'create', 'token', $Account, "--namespace=$Namespace", "--duration=$Duration")
    if ($Name) { $arguments += "--context=$Name" }
    $answer = Invoke-Kubectl $Kubeconfig $arguments
    if ($answer.Worked) { return $answer.Text }
    return ''
}

function New-PrivateFile([string]$Path) {
    [IO.File]::WriteAllText($Path, '')
    if ([Environment]::OSVersion.Platform -eq 'Win32NT') {
        & icacls.exe $Path '/inheritance:r' '/grant:r' "$([Environment]::UserDomainName)\$([Environment]::UserName):F" | Out-Null
    }
    else {
        & chmod 600 $Path
    }
    if ($LASTEXITCODE -ne 0) { throw "Others could read $Path" }
}

function Test-Token([string]$Kubeconfig) {
    foreach ($try in 1..5) {
        $answer = Invoke-Kubectl $Kubeconfig @('--request-timeout=20s', 'get', '--raw', '/api')
        if ($answer.Worked) { return $true }
        if ($try -lt 5) { Start-Sleep -Seconds $try }
    }
    return $false
}

$Target = Resolve-Home $Target
if ($Source -and -not $Source.Contains([IO.Path]::PathSeparator)) { $Source = Resolve-Home $Source }
$token = ''
if (Test-Path -LiteralPath $Target) { $token = Get-NewToken $Target '' }
if (-not $token -and $Source) { $token = Get-NewToken $Source $Context }
if (-not $token) {
    [Console]::Error.WriteLine("Nobody could ask for a new token of $Namespace/$Account in $Cluster.")
    [Console]::Error.WriteLine("Make a kubeconfig that can: ansflow-desktop credentials renew NAME --save $Target")
    exit 3
}
if ($token -notmatch '^[A-Za-z0-9._~+/=-]+$') {
    [Console]::Error.WriteLine('kubectl gave something else than a token; nothing was changed.')
    exit 1
}

$folder = Split-Path -Parent $Target
if ($folder) { New-Item -ItemType Directory -Force -Path $folder | Out-Null }
$new = "$Target.$([Guid]::NewGuid().ToString('N'))"
try {
    New-PrivateFile $new
    [IO.File]::WriteAllText($new, "$Head$token$Tail`n")
    if (-not (Test-Token $new)) {
        [Console]::Error.WriteLine('The server does not accept the new token; nothing was changed.')
        exit 1
    }
    if (Test-Path -LiteralPath $Target) { [IO.File]::Replace($new, $Target, [NullString]::Value) }
    else { [IO.File]::Move($new, $Target) }
}
finally {
    if (Test-Path -LiteralPath $new) { Remove-Item -LiteralPath $new -Force }
}
Write-Output "Renewed the token of $Namespace/$Account in $Target for $Duration."
exit 0
