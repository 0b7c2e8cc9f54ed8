#!/usr/bin/env bash
# Made by AnsFlow Desktop. A credential program for a kubeconfig (client.authentication.k8s.io/v1): prints a token of a
# ServiceAccount, asks for a new one (TokenRequest) when two thirds of the last one's life are over, and keeps it in a
# file that only its owner can read (in memory where XDG_RUNTIME_DIR is). No token is ever an argument.
#
# Who asks: the context CONTEXT of the kubeconfig SOURCE, else the kubeconfig TARGET.
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
KEPT=${XDG_RUNTIME_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}}/ansflow/@@=LABEL@@

case $TARGET in "~/"*) TARGET=$HOME/${TARGET#"~/"} ;; esac
case $SOURCE in "~/"*) SOURCE=$HOME/${SOURCE#"~/"} ;; esac

say() { printf '%s\n' "$*" >&2; }

epoch() { # 2026-01-31T12:00:00Z: print it in seconds, by GNU's date or by that of BSD and macOS
  date -u -d "$1" +%s 2>/dev/null || date -ju -f %Y-%m-%dT%H:%M:%SZ "$1" +%s
}

give() { # TOKEN END: print the credential
  printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
  printf '"status":{"token":"%s","expirationTimestamp":"%s"}}\n' "$1" "$2"
}

now=$(date +%s)
if [[ -s $KEPT ]] && read -r renew end token <"$KEPT" && ((now < renew)); then
  give "$token" "$end"
  exit 0
fi

if [[ -z $SOURCE ]]; then
  SOURCE=$TARGET CONTEXT=
fi
said=$(KUBECONFIG=$SOURCE "$KUBECTL" ${CONTEXT:+"--context=$CONTEXT"} --request-timeout=20s create token "$ACCOUNT" \
  "--namespace=$NAMESPACE" "--duration=$DURATION" -o 'jsonpath={.status.expirationTimestamp} {.status.token}') || exit 1
read -r end token <<<"$said"
if ! [[ $token =~ ^[A-Za-z0-9._~+/=-]+$ && $end =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$ ]]; then
  say "kubectl gave something else than a token."
  exit 1
fi
mkdir -p -- "$(dirname -- "$KEPT")"
new=$(mktemp "$KEPT.XXXXXX")
trap 'rm -f -- "$new"' EXIT
printf '%s %s %s\n' "$((now + ($(epoch "$end") - now) * 2 / 3))" "$end" "$token" >"$new"
mv -f -- "$new" "$KEPT"
give "$token" "$end"
