# Os comandos do runbook (docs/runbook.pt-BR.md), para bash e zsh, no terminal de quem está de plantão:
#
#   . examples/deploy/on-call.sh && kubernetes      # ou: && compose
#
# Carregar este arquivo não muda nada. Se no seu banco os nomes são outros, mude estas três linhas,
# ou defina os valores no ambiente.
BOT_NAMESPACE="${BOT_NAMESPACE:-assistant}"
BOT_MANIFESTS="${BOT_MANIFESTS:-examples/deploy/kubernetes}"
export COMPOSE_FILE="${COMPOSE_FILE:-examples/deploy/compose.yaml}"

kubernetes() {
  run() { kubectl -n "$BOT_NAMESPACE" "$@"; }
  # O que está no ar, e o que reiniciou.
  pods() {
    of='.status.containerStatuses[*]'
    run get pods -o custom-columns="POD:.metadata.name,READY:$of.ready,RESTARTS:$of.restartCount,WAITS:$of.state.waiting.reason,ENDED:$of.lastState.terminated.reason,NODE:.spec.nodeName"
  }
  logs() { run logs -l "app.kubernetes.io/name=$1" --since="${2:-15m}" --tail=-1 --prefix --max-log-requests=20; }
  # As últimas linhas antes da queda.
  before() { run logs -l "app.kubernetes.io/name=$1" --previous --tail=30 --prefix --ignore-errors; }
  # Um comando em um servidor; depois, em cada servidor de ações.
  inside() { to="deploy/$1"; shift; run exec -i "$to" -- "$@"; }
  each() { for one in $(run get pods -l app.kubernetes.io/name=actions -o name); do echo "$one"; run exec "$one" -- "$@"; done; }
  restart_one() { run delete pod "$1"; }
  restart() { run rollout restart "deploy/$1" && run rollout status "deploy/$1"; }
  # À revisão que se diz, ou à anterior.
  rollback() { run rollout undo "deploy/$1" "--to-revision=${2:-0}" && run rollout status "deploy/$1"; }
  renew() { kubectl apply -k "$BOT_MANIFESTS" && restart "$1"; }
  doctor() {
    run delete job doctor-1 --ignore-not-found
    run create job doctor-1 --from=cronjob/doctor
    run logs --follow --pod-running-timeout=1m job/doctor-1
  }
  # Um pod do doctor que fica 15 minutos, para o comando `ps7`.
  open_doctor() {
    run delete job doctor-pod --ignore-not-found
    run create job doctor-pod --from=cronjob/doctor --dry-run=client --output=yaml \
      | kubectl patch --local -f - --type=json --output=yaml \
        -p '[{"op": "add", "path": "/spec/template/spec/containers/0/command", "value": ["sleep", "900"]}]' \
      | run apply -f -
    run wait --for=condition=Ready pod -l job-name=doctor-pod --timeout=60s
  }
  ps7() { run exec -i job/doctor-pod -- python -m rasa_ps7 "$@"; }
  echo "Kubernetes: cluster $(kubectl config current-context), namespace $BOT_NAMESPACE"
}

compose() {
  run() { docker compose "$@"; }
  pods() { run ps --all; }
  logs() { run logs --since "${2:-15m}" "$1"; }
  before() { run logs --tail 30 "$1" | grep -vE ' PS7 (lookup|probe): ' || :; }
  names() { run ps --all --format '{{.Name}}' "$1"; }
  inside() { run exec -T "$@"; }
  each() { for one in $(names actions); do echo "$one"; docker exec "$one" "$@"; done; }
  healthy() {
    for try in $(seq 60); do
      [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ] && return; sleep 2
    done
    echo "$1 is not healthy"; return 1
  }
  restart_one() { docker restart "$1"; }
  restart() { for one in $(names "$1"); do docker restart "$one" && healthy "$one" || return 1; done; }
  # Sobe um servidor novo e só então tira um antigo; para no primeiro que não sobe.
  renew() {
    for old in $(names "$1"); do
      there=$(names "$1")
      run up --detach --no-deps --no-recreate --scale "$1=$(($(echo "$there" | wc -l) + 1))" "$1" || return 1
      new=$(names "$1" | grep -vxF "$there")
      healthy "$new" || { docker rm --force "$new"; return 1; }
      sleep 5
      docker stop --time 60 "$old" && docker rm "$old"
    done
  }
  rollback() { run build "$1" && renew "$1"; }
  doctor() { run run --rm doctor; }
  open_doctor() { :; }
  ps7() { run run --rm -T doctor python -m rasa_ps7 "$@"; }
  echo "Compose: $COMPOSE_FILE, PS7_BASE_URL=${PS7_BASE_URL:-(falta)}"
}

# Daqui em diante, nos dois ambientes.

# Conta como as consultas terminaram: as dos clientes (lookup) e as sondas do bot (probe).
reasons() {
  logs actions "${1:-15m}" | grep -o 'PS7 [a-z]*: outcome=[a-z]* reason=[a-z_]* status=[0-9-]*' | sort | uniq -c | sort -n
}
errors() { logs "$1" "${2:-15m}" | grep -oE '(WARNING|ERROR|CRITICAL) .*' | sort | uniq -c | sort -n | tail -n 20; }
# Uma métrica de cada servidor de ações.
measure() {
  each python -c "
import urllib.request as web
for line in web.urlopen('http://localhost:9464/metrics', timeout=5):
    if line.startswith(b'$1'): print(line.decode().strip())"
}
# Escreve ao Rasa sem passar pelo canal.
hello() {
  inside rasa python - <<'END'
import json, ssl, urllib.request as web
trust = ssl.create_default_context(cafile="/run/tls/ca.crt")
body = json.dumps({"sender": "on-call", "message": "oi"}).encode()
said = web.Request("https://localhost:5005/webhooks/rest/webhook", body, {"Content-Type": "application/json"})
print("Rasa:", web.urlopen(said, timeout=30, context=trust).read().decode())
END
}
# O Rasa alcança o PostgreSQL e o Redis?
stores() {
  inside rasa python - <<'END'
import os, socket
for name in ("DB", "REDIS"):
    where = os.environ[name + "_HOST"], int(os.environ[name + "_PORT"])
    try:
        socket.create_connection(where, 3)
        print(name, *where, "ok")
    except OSError as failure:
        print(name, *where, failure)
END
}
# Consulta o PostgreSQL do Rasa; o SQL vem pela entrada padrão.
events() {
  inside rasa python -c '
import os, sys, psycopg2
env = os.environ
password = open(env["RASA_SECRETS_DIR"] + "/DB_PASSWORD").read().strip()
login = {"host": env["DB_HOST"], "port": env["DB_PORT"], "dbname": env["DB_NAME"], "user": env["DB_USER"], "password": password}
asked = psycopg2.connect(**login, sslmode="verify-full", sslrootcert=env["TLS_CA_FILE"]).cursor()
asked.execute(sys.stdin.read(), sys.argv[1:])
for row in asked: print(*row)' "$1"
}
# As conversas que tiveram este ps7_status na última hora.
conversations() {
  events "$1" <<'END'
SELECT sender_id, max(to_timestamp(timestamp)) FROM events
WHERE action_name = 'ps7_status' AND data LIKE '%%"' || %s || '"%%'
  AND timestamp > extract(EPOCH FROM now()) - 3600
GROUP BY sender_id ORDER BY 2 DESC;
END
}
# Grava uma conversa em tracker.json, com dados do cliente: apague depois.
save() {
  events "$1" <<'END' >tracker.json
SELECT json_build_object('sender_id', sender_id,
  'slots', json_object_agg(action_name, NULL) FILTER (WHERE type_name = 'slot'),
  'events', json_agg(data::json ORDER BY id))::text
FROM events WHERE sender_id = %s GROUP BY sender_id;
END
}
