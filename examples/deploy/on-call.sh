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
  rollback() {
    run rollout undo "deploy/$1" "--to-revision=${2:-0}" && run annotate --overwrite "deploy/$1" rolled-back=yes \
      && run rollout status "deploy/$1"
  }
  # Depois de um rollback, só os secrets: os manifestos ainda trazem a versão que voltou.
  renew() {
    if [ "$(run get "deploy/$1" -o 'jsonpath={.metadata.annotations.rolled-back}')" ]; then
      echo "Só os secrets: houve rollback. Com os manifestos corrigidos: kubectl -n $BOT_NAMESPACE annotate deploy/$1 rolled-back-"
      run apply -k "$BOT_MANIFESTS/../secrets" && restart "$1"
    else
      kubectl apply -k "$BOT_MANIFESTS" && restart "$1"
    fi
  }
  doctor() {
    run delete job doctor-1 --ignore-not-found
    run create job doctor-1 --from=cronjob/doctor
    # O kubectl não espera o contêiner começar.
    for try in $(seq 60); do run logs --follow job/doctor-1 2>/dev/null && return; sleep 1; done
    run describe pod -l job-name=doctor-1; return 1
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
  # Pronto, ou no ar, se ninguém verifica a saúde dele. O que já caiu uma vez não vai subir.
  healthy() {
    for try in $(seq 90); do
      case "$(docker inspect --format '{{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$1")" in
        "0 healthy" | "0 running") return ;;
        0*) sleep 2 ;;
        *) break ;;
      esac
    done
    echo "$1 is not healthy"; return 1
  }
  names_of() { tr ',:' '\n\n' | sed 's|.*/||' | sort; }
  # O que roda foi iniciado com os mesmos arquivos que este terminal tem?
  same_files() {
    there=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.project.config_files"}}' "$1" | names_of)
    [ "$there" = "$(echo "$COMPOSE_FILE" | names_of)" ] && return
    echo "Nada mudou: o que roda tem outros arquivos. COMPOSE_FILE deve ter:" $(echo "$there"); return 1
  }
  # Guarda a imagem do contêiner antigo com a tag previous, se a do novo é outra.
  keep_image() {
    runs=$(docker inspect --format '{{.Image}}' "$1"); image=$(docker inspect --format '{{.Config.Image}}' "$2")
    [ "$runs" = "$(docker inspect --format '{{.Image}}' "$2")" ] || docker tag "$runs" "${image%:*}:previous"
  }
  restart_one() { docker restart "$1"; }
  restart() { for one in $(names "$1"); do docker restart "$one" && healthy "$one" || return 1; done; }
  # Sobe um servidor novo e só então tira um antigo; para no primeiro que não sobe.
  renew() {
    for old in $(names "$1"); do
      same_files "$old" || return 1
      there=$(names "$1")
      run up --detach --no-deps --no-recreate --scale "$1=$(($(echo "$there" | wc -l) + 1))" "$1" || return 1
      new=$(names "$1" | grep -vxF "$there")
      keep_image "$old" "$new"
      healthy "$new" || { docker logs --tail 30 "$new" 2>&1; docker rm --force "$new"; return 1; }
      sleep 5
      docker stop -t 60 "$old" && docker rm "$old"
    done
  }
  # À imagem que o último renew substituiu, seja qual for a tag em compose.yaml. Outra vez: de volta à de antes.
  rollback() {
    image=$(docker inspect --format '{{.Config.Image}}' $(names "$1" | head -n 1))
    docker tag "${image%:*}:previous" "$(run config --images | grep -F "${image%:*}:")" && renew "$1" \
      && echo "Feito, embora pods mostre a tag de antes. Outro rollback o desfaz."
  }
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
# Números e ids não distinguem um aviso de outro. Os do Python, o Rasa dá dez a cada início.
errors() {
  logs "$1" "${2:-15m}" | grep -oE '(WARNING|ERROR|CRITICAL) .*' | grep -v '^WARNING *py\.warnings ' | sed -E 's/[0-9a-f]*[0-9][0-9a-f-]{5,}/…/g' \
    | sort | uniq -c | sort -n | tail -n 20
}
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
login='
import os, sys, psycopg2
env = os.environ
def secret(name): return open(env["RASA_SECRETS_DIR"] + "/" + name).read().strip()
def database():
    login = {"host": env["DB_HOST"], "port": env["DB_PORT"], "dbname": env["DB_NAME"], "user": env["DB_USER"], "password": secret("DB_PASSWORD")}
    return psycopg2.connect(**login, sslmode="verify-full", sslrootcert=env["TLS_CA_FILE"], connect_timeout=5)'
# O Rasa grava no PostgreSQL (o que grava, desfaz) e no Redis, e alcança os servidores de ações?
stores() {
  inside rasa python - <<END
$login
import redis, ssl, urllib.request as web
def postgres():
    there = database()
    there.cursor().execute("INSERT INTO events (sender_id, type_name, data) SELECT 'on-call', 'on-call', string_agg(md5(n::text), '') FROM generate_series(1, 8192) n")
    there.rollback()
def locks():
    told = {"ssl": True, "ssl_ca_certs": env["TLS_CA_FILE"], "socket_timeout": 5, "socket_connect_timeout": 5}
    redis.Redis(env["REDIS_HOST"], int(env["REDIS_PORT"]), password=secret("REDIS_PASSWORD"), **told).set("on-call", "x" * 65536, ex=1)
def actions():
    trust = ssl.create_default_context(cafile=env["TLS_CA_FILE"])
    web.urlopen(env["ACTION_ENDPOINT_URL"].replace("/webhook", "/health"), timeout=5, context=trust)
for name, where, act in (("DB", env["DB_HOST"], postgres), ("REDIS", env["REDIS_HOST"], locks), ("ACTIONS", env["ACTION_ENDPOINT_URL"], actions)):
    try:
        act()
        print(name, where, "ok")
    except Exception as failure:
        print(name, where, *str(failure).splitlines()[:1])
END
}
# Consulta o PostgreSQL do Rasa; o SQL vem pela entrada padrão.
events() {
  inside rasa python -c "$login
asked = database().cursor()
asked.execute(sys.stdin.read(), sys.argv[1:])
for row in asked: print(*row)" "$@"
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
# As conversas de um cliente: digite o CPF e Enter. Ele não fica no histórico.
customer() {
  read -r cpf; cpf=$(echo "$cpf" | tr -cd 0-9)
  [ ${#cpf} = 11 ] || { echo "Um CPF tem 11 algarismos"; return 1; }
  events <<END
SELECT sender_id, min(to_timestamp(timestamp)), max(to_timestamp(timestamp)) FROM events
WHERE action_name = 'cpf' AND data::json ->> 'value' = '$cpf' GROUP BY sender_id ORDER BY 2;
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
