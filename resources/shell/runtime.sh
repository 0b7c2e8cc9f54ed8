# Runs steps one after the other, each in a bash of its own. The next step gets the directory in which the last one
# ended and what it exported; a failed step ends the run, but for steps marked "always". Needs bash and GNU timeout.
ansflow_state=${ANSFLOW_STATE:-$(mktemp -d)}
export ANSFLOW_STATE=$ansflow_state
mkdir -p "$ansflow_state"

ansflow_say() { printf '== %s: %s\n' "$1" "$2"; }

# NAME DEFAULT [NAME=VALUE...]: exports NAME as given among the arguments, else its default.
ansflow_variable() {
  local name=$1 value=$2 given
  shift 2
  for given in "$@"; do
    if [[ $given == "$name="* ]]; then value=${given#*=}; fi
  done
  export "$name=$value"
}

# DIR: the first directory; the variables are those exported so far.
ansflow_begin() { { printf 'cd -- %q\n' "$1"; export -p; } > "$ansflow_state/context"; }

# NAME [timeout=SECONDS] [retries=N] [delay=SECONDS] [continue] [always] [stay] [when=TEST] [output=NAME] [env=NAME]...
# with the script on stdin; its exit code is the step's. "stay" keeps the directory and variables of the step to itself.
ansflow_step() {
  local name=$1 timeout=0 retries=0 delay=5 goes_on='' always='' stay='' when='' output='' env=() option script code attempt=0
  shift
  for option in "$@"; do
    case $option in
      timeout=*) timeout=${option#*=} ;; retries=*) retries=${option#*=} ;; delay=*) delay=${option#*=} ;;
      when=*) when=${option#*=} ;; output=*) output=${option#*=} ;; env=*) env+=("${option#*=}") ;;
      continue) goes_on=1 ;; always) always=1 ;; stay) stay=1 ;;
    esac
  done
  script=$(cat)
  if [[ -n ${ANSFLOW_BRACES-} ]]; then script=${script//'{ANSFLOW{'/'{'{}; fi
  if [[ -e $ansflow_state/stopped && -z $always ]]; then ansflow_say "$name" 'skipped: a step before it failed'; return 0; fi
  if [[ -n $when ]] && ! ( . "$ansflow_state/context" && eval "$when" ); then
    ansflow_say "$name" 'skipped: its condition is not met'; return 0
  fi
  local deadline=$((SECONDS + timeout)) left=0
  while :; do
    ansflow_say "$name" 'started'
    if ((timeout > 0)); then left=$((deadline - SECONDS > 0 ? deadline - SECONDS : 1)); fi
    ansflow_once "$left" "$output" "$stay" "$script"; code=$?
    if ((code == 0 || attempt >= retries)) || ((timeout > 0 && SECONDS + delay >= deadline)); then break; fi
    attempt=$((attempt + 1))
    ansflow_say "$name" "exit code $code; attempt $((attempt + 1)) of $((retries + 1)) in $delay s"
    sleep "$delay"
    delay=$((delay * 2 > 300 ? 300 : delay * 2))
  done
  if ((code == 0)); then
    ansflow_say "$name" 'succeeded'
    ansflow_hand_on "$output" "${env[@]+"${env[@]}"}"
    return 0
  fi
  ansflow_say "$name" "failed with exit code $code"
  : > "$ansflow_state/failed"
  if [[ -z $goes_on ]]; then : > "$ansflow_state/stopped"; fi
  return "$code"
}

# SECONDS OUTPUT STAY SCRIPT: one attempt; what it leaves behind is kept only where it ended with 0.
ansflow_once() {
  local left=$1 to=/dev/stdout keep='' code
  rm -f "$ansflow_state/next"
  if [[ -n $2 ]]; then to=$ansflow_state/output; fi
  if [[ -z $3 ]]; then keep=$ansflow_keep; fi
  ( . "$ansflow_state/context" && ansflow_exec "$left" "$keep$4" ) < /dev/null > "$to" &
  ansflow_child=$!
  wait "$ansflow_child"; code=$?
  ansflow_child=''
  if [[ -n $2 ]]; then cat "$to"; fi
  return "$code"
}
ansflow_exec() {
  if command -v timeout > /dev/null; then exec timeout --kill-after=10 "$1" bash -e -c "$2"; fi
  exec bash -e -c "$2"
}
ansflow_keep='trap '\''ansflow_code=$?; if [ $ansflow_code = 0 ]; then { printf "cd -- %q\n" "$(pwd -P)"; export -p; }'
ansflow_keep+=' > "$ANSFLOW_STATE/next"; fi; exit $ansflow_code'\'' EXIT'$'\n'

# OUTPUT [NAME...]: the context of the next step; the variables NAME were the last step's own.
ansflow_hand_on() {
  local output=$1 name value
  shift
  if [[ -e $ansflow_state/next ]]; then
    for name in "$@"; do
      ( unset "$name"; . "$ansflow_state/context"; declare -p "$name" 2> /dev/null || echo "unset $name" ) >> "$ansflow_state/next"
    done
    mv "$ansflow_state/next" "$ansflow_state/context"
  fi
  if [[ -n $output ]]; then
    value=$(cat "$ansflow_state/output"; printf x)
    value=${value%x}
    printf 'export %s=%q\n' "$output" "${value%$'\n'}" >> "$ansflow_state/context"
  fi
}

# The exit code of the run.
ansflow_end() { if [[ -e $ansflow_state/failed ]]; then return 1; fi; }

ansflow_child=''
trap 'if [[ -n $ansflow_child ]]; then kill -TERM "$ansflow_child"; wait "$ansflow_child"; fi; exit 130' INT TERM

# NAME: the folder of a chart, looked for where AnsFlow Desktop looks.
ansflow_chart() {
  local place name
  for place in . "./$1" "./charts/$1" "./helm/$1" "./k8s/$1"; do
    if [[ ! -f $place/Chart.yaml ]]; then continue; fi
    name=$(sed -n 's/^name:[[:space:]]*["'\'']\{0,1\}\([^"'\''[:space:]#]*\).*/\1/p' "$place/Chart.yaml")
    if [[ $place != . || $name == "$1" || $1 == . ]]; then printf '%s\n' "$place"; return 0; fi
  done
  printf 'The chart %s was not found in %s, nor in %s, charts, helm or k8s there.\n' "$1" "$PWD" "$1" >&2
  return 1
}

# FOLDER: fetches the dependencies that a chart folder lacks.
ansflow_dependencies() {
  if helm dependency list "$1" 2> /dev/null | grep -q 'missing'; then helm dependency update "$1"; fi
}

# The flag for rolling back a failed deploy: Helm 4 has given it another name.
ansflow_atomic() {
  case $(helm version --short) in v3.*) echo --atomic ;; *) echo --rollback-on-failure ;; esac
}

# TEXT: as one word of a POSIX shell.
ansflow_quote() {
  local quote="'\\''"
  printf "'%s'" "${1//\'/$quote}"
}

# TEXT: yes, unless the text is empty, false, 0 or no.
ansflow_says() {
  case $(printf '%s' "$1" | tr -d '[:space:]' | tr '[:upper:]' '[:lower:]') in '' | false | 0 | no) echo no ;; *) echo yes ;; esac
}

# NAMESPACE [FLAG...]: makes the namespace where it is not there.
ansflow_namespace() {
  kubectl get namespace "$@" > /dev/null 2>&1 || kubectl create namespace "$@"
}

# TIMEOUT WAIT FLAG...: applies what kubectl is told by the flags and waits for its workloads.
ansflow_apply() {
  local timeout=$1 wait=$2 names name
  shift 2
  names=$(kubectl apply --server-side --field-manager=ansflow --output=name "$@")
  printf '%s\n' "$names"
  if [[ $wait != true ]]; then return 0; fi
  for name in $names; do
    case $name in
      deployment.apps/* | statefulset.apps/* | daemonset.apps/*) ansflow_on "$timeout" rollout status "$name" "$@" ;;
      job.batch/*) ansflow_on "$timeout" wait --for=condition=Complete "$name" "$@" ;;
    esac
  done
}

# TIMEOUT WORD... FLAG...: kubectl with the flags that say where, without those that say what.
ansflow_on() {
  local timeout=$1 words=()
  shift
  while (($#)); do
    case $1 in --filename=* | --kustomize=* | --dry-run=*) ;; *) words+=("$1") ;; esac
    shift
  done
  kubectl "${words[@]}" "--timeout=$timeout" < /dev/null
}

# PATTERN SECONDS COMMAND...: passes lines on until one matches PATTERN (empty: until the time is over).
ansflow_follow() {
  local pattern=$1 seconds=$2 code
  shift 2
  if [[ -z $pattern ]]; then
    timeout "$seconds" "$@" || { code=$?; [[ $code == 124 ]] || return "$code"; }
    return 0
  fi
  timeout "$seconds" "$@" | {
    while IFS= read -r line; do
      printf '%s\n' "$line"
      if [[ $line =~ $pattern ]]; then exit 0; fi
    done
    exit 1
  }
}
export -f ansflow_chart ansflow_dependencies ansflow_atomic ansflow_quote ansflow_namespace ansflow_apply ansflow_on ansflow_follow
