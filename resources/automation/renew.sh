#!/usr/bin/env bash
# Made by AnsFlow Desktop. Renews the token of a ServiceAccount: asks for a new one (TokenRequest), tries it, and only
# then puts it into the kubeconfig TARGET (0600). The old one stays in place until then. No token is ever an argument.
#
# Who asks: the token in TARGET where that still works (its account needs the right to `create` its own
# `serviceaccounts/token`), else the context CONTEXT of the kubeconfig SOURCE.
# Exit codes: 0 renewed; 1 the new token could not be used, nothing was changed; 3 nobody could ask for one.
set -euo pipefail
umask 077
export KUBERC=off

KUBECTL=${KUBECTL:-@@KUBECTL@@}
TARGET=${ANSFLOW_TARGET:-@@TARGET@@}
SOURCE=${ANSFLOW_SOURCE-@@SOURCE@@}
CONTEXT=${ANSFLOW_CONTEXT-@@CONTEXT@@}
NAMESPACE=@@NAMESPACE@@
ACCOUNT=@@ACCOUNT@@
DURATION=@@DURATION@@
CLUSTER=@@CLUSTER@@
HEAD=@@CONFIG_HEAD@@
TAIL=@@CONFIG_TAIL@@

case $TARGET in "~/"*) TARGET=$HOME/${TARGET#"~/"} ;; esac
case $SOURCE in "~/"*) SOURCE=$HOME/${SOURCE#"~/"} ;; esac

say() { printf '%s\n' "$*" >&2; }

ask() { # KUBECONFIG CONTEXT: print a new token
  KUBECONFIG=$1 "$KUBECTL" ${2:+"--context=$2"} --request-timeout=20s \
    create token "$ACCOUNT" "--namespace=$NAMESPACE" "--duration=$DURATION"
}

fresh() {
  if [[ -s $TARGET ]]; then
    ask "$TARGET" "" && return 0
    say "The token in $TARGET cannot renew itself."
  fi
  if [[ -n $SOURCE ]]; then
    ask "$SOURCE" "$CONTEXT" && return 0
  fi
  say "Nobody could ask for a new token of $NAMESPACE/$ACCOUNT in $CLUSTER."
  say "Make a kubeconfig that can, for example: ansflow-desktop credentials renew NAME --save $TARGET"
  return 3
}

works() { # KUBECONFIG: is its token accepted? Several API servers may need a moment to agree.
  local try
  for try in 1 2 3 4 5; do
    KUBECONFIG=$1 "$KUBECTL" --request-timeout=20s get --raw /api >/dev/null && return 0
    [[ $try == 5 ]] || sleep "$try"
  done
  return 1
}

mkdir -p -- "$(dirname -- "$TARGET")"
token=$(fresh) || exit 3
if ! [[ $token =~ ^[A-Za-z0-9._~+/=-]+$ ]]; then
  say "kubectl gave something else than a token; nothing was changed."
  exit 1
fi
new=$(mktemp "$TARGET.XXXXXX")
trap 'rm -f -- "$new"' EXIT
printf '%s%s%s\n' "$HEAD" "$token" "$TAIL" >"$new"
if ! works "$new"; then
  say "The server does not accept the new token; nothing was changed."
  exit 1
fi
mv -f -- "$new" "$TARGET"
say "Renewed the token of $NAMESPACE/$ACCOUNT in $TARGET for $DURATION."
