#!/bin/sh
# Writes docker/secrets/, once: of an existing folder only what is missing since an upgrade is made.
set -eu
cd "$(dirname "$0")"
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
metrics_token() {
  printf '%s' "$(random 32)" > secrets/metrics_token
  chmod 644 secrets/metrics_token
}
umask 077
if [ -d secrets ]; then
  if [ ! -f secrets/metrics_token ]; then
    metrics_token
    echo "docker/secrets/metrics_token written"
  else
    echo "docker/secrets is there already; nothing was changed"
  fi
  exit 0
fi
mkdir secrets
metrics_token
postgres=$(random 16)
valkey=$(random 16)
printf '%s' "$(random 32)" > secrets/secret_key
printf '%s' "$postgres" > secrets/postgres_password
printf 'requirepass %s\n' "$valkey" > secrets/valkey_conf
printf 'postgresql://tapelog:%s@postgres:5432/tapelog' "$postgres" > secrets/database_url
printf 'redis://:%s@valkey:6379/0' "$valkey" > secrets/redis_url
# containers read each file as users of their own; on the host nobody else comes into the folder
chmod 644 secrets/*
chmod 700 secrets
echo "secrets written to docker/secrets"
