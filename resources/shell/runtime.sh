# Runs steps one after the other, each in a bash of its own. The next step gets the directory in which the last one
# ended and what it exported; a failed step ends the run, but for steps marked "always". Needs bash 4.2 and GNU timeout.
ansflow_state=${ANSFLOW_STATE:-$(mktemp -d)}
export ANSFLOW_STATE=$ansflow_state
mkdir -p "$ansflow_state"

ansflow_say() { printf '== %s: %s\n' "$1" "$2"; }

# NAME DEFAULT [NAME=VALUE...]: exports NAME as given among the arguments, else its default. Names of this file's own
# variables begin with ansflow_: a pipeline may call its own whatever it likes.
ansflow_variable() {
  local ansflow_name=$1 ansflow_value=$2 ansflow_given
  shift 2
  for ansflow_given in "$@"; do
    if [[ $ansflow_given == "$ansflow_name="* ]]; then ansflow_value=${ansflow_given#*=}; fi
  done
  export "$ansflow_name=$ansflow_value"
}

# DIR: the first directory; the variables are those exported so far.
ansflow_begin() { { printf 'cd -- %q\n' "$1"; export -p; } > "$ansflow_state/context"; }

# NAME [timeout=SECONDS] [retries=N] [delay=SECONDS] [continue] [always] [stay] [when=TEST] [output=NAME] [env=NAME]...
# with the script on stdin; its exit code is the step's. "stay" keeps the directory and variables of the step to itself.
ansflow_step() {
  local ansflow_name=$1 ansflow_timeout=0 ansflow_retries=0 ansflow_delay=5 ansflow_goes_on='' ansflow_always=''
  local ansflow_stay='' ansflow_when='' ansflow_output='' ansflow_env=() ansflow_option ansflow_script ansflow_code
  local ansflow_attempt=0 ansflow_left=0
  shift
  for ansflow_option in "$@"; do
    case $ansflow_option in
      timeout=*) ansflow_timeout=${ansflow_option#*=} ;;
      retries=*) ansflow_retries=${ansflow_option#*=} ;;
      delay=*) ansflow_delay=${ansflow_option#*=} ;;
      when=*) ansflow_when=${ansflow_option#*=} ;;
      output=*) ansflow_output=${ansflow_option#*=} ;;
      env=*) ansflow_env+=("${ansflow_option#*=}") ;;
      continue) ansflow_goes_on=1 ;;
      always) ansflow_always=1 ;;
      stay) ansflow_stay=1 ;;
    esac
  done
  ansflow_script=$(cat)
  if [[ -n ${ANSFLOW_BRACES-} ]]; then ansflow_script=${ansflow_script//'{ANSFLOW{'/'{'{}; fi
  if [[ -e $ansflow_state/stopped && -z $ansflow_always ]]; then
    ansflow_say "$ansflow_name" 'skipped: a step before it failed'; return 0
  fi
  if [[ -n $ansflow_when ]] && ! ( . "$ansflow_state/context" && eval "$ansflow_when" ); then
    ansflow_say "$ansflow_name" 'skipped: its condition is not met'; return 0
  fi
  local ansflow_deadline=$((SECONDS + ansflow_timeout))
  while :; do
    ansflow_say "$ansflow_name" 'started'
    if ((ansflow_timeout > 0)); then
      ansflow_left=$((ansflow_deadline - SECONDS > 0 ? ansflow_deadline - SECONDS : 1))
    fi
    ansflow_once "$ansflow_left" "$ansflow_output" "$ansflow_stay" "$ansflow_script"; ansflow_code=$?
    if ((ansflow_code == 0 || ansflow_attempt >= ansflow_retries)); then break; fi
    if ((ansflow_timeout > 0 && SECONDS + ansflow_delay >= ansflow_deadline)); then break; fi
    ansflow_attempt=$((ansflow_attempt + 1))
    ansflow_say "$ansflow_name" "exit code $ansflow_code; next attempt in $ansflow_delay s"
    sleep "$ansflow_delay"
    ansflow_delay=$((ansflow_delay * 2 > 300 ? 300 : ansflow_delay * 2))
  done
  if ((ansflow_code == 0)); then
    ansflow_say "$ansflow_name" 'succeeded'
    ansflow_hand_on "$ansflow_output" "${ansflow_env[@]+"${ansflow_env[@]}"}"
    return 0
  fi
  ansflow_say "$ansflow_name" "failed with exit code $ansflow_code"
  : > "$ansflow_state/failed"
  if [[ -z $ansflow_goes_on ]]; then : > "$ansflow_state/stopped"; fi
  return "$ansflow_code"
}

# SECONDS OUTPUT STAY SCRIPT: one attempt; what it leaves behind is kept only where it ended with 0.
ansflow_once() {
  local ansflow_keep='' ansflow_code ansflow_to=1
  rm -f "$ansflow_state/next"
  if [[ -n $2 ]]; then exec {ansflow_to}> "$ansflow_state/output"; fi
  if [[ -z $3 ]]; then ansflow_keep=$ansflow_handler; fi
  ( . "$ansflow_state/context" && ansflow_exec "$1" "$ansflow_keep$4" ) < /dev/null >&"$ansflow_to" &
  ansflow_child=$!
  wait "$ansflow_child"; ansflow_code=$?
  ansflow_child=''
  if [[ -n $2 ]]; then exec {ansflow_to}>&-; cat "$ansflow_state/output"; fi
  return "$ansflow_code"
}
ansflow_exec() {
  if command -v timeout > /dev/null; then exec timeout --kill-after=10 "$1" bash -e -c "$2"; fi
  exec bash -e -c "$2"
}
ansflow_handler='trap '\''ansflow_code=$?; if [ $ansflow_code = 0 ]; then { printf "cd -- %q\n" "$(pwd -P)"; export -p; }'
ansflow_handler+=' > "$ANSFLOW_STATE/next"; fi; exit $ansflow_code'\'' EXIT'$'\n'

# OUTPUT [NAME...]: the context of the next step; the variables NAME were the last step's own.
ansflow_hand_on() {
  local ansflow_output=$1 ansflow_name ansflow_value
  shift
  if [[ -e $ansflow_state/next ]]; then
    for ansflow_name in "$@"; do
      ansflow_before "$ansflow_name" >> "$ansflow_state/next"
    done
    mv "$ansflow_state/next" "$ansflow_state/context"
  fi
  if [[ -n $ansflow_output ]]; then
    ansflow_value=$(cat "$ansflow_state/output"; printf x)
    ansflow_value=${ansflow_value%x}
    printf 'export %s=%q\n' "$ansflow_output" "${ansflow_value%$'\n'}" >> "$ansflow_state/context"
  fi
}

# NAME: the line that gives a variable the value that it had before the step.
ansflow_before() {
  ( unset "$1"; . "$ansflow_state/context"; if [[ -v $1 ]]; then printf 'export %s=%q\n' "$1" "${!1}"; else printf 'unset %s\n' "$1"; fi )
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
