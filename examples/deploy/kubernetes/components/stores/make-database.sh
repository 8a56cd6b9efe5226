# Runs in the image of PostgreSQL when its volume is empty: Rasa's database, and the user who owns it.
psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 --set password="$(cat "${POSTGRES_PASSWORD_FILE%/*}/DB_PASSWORD")" <<'SQL'
CREATE USER rasa PASSWORD :'password';
CREATE DATABASE rasa OWNER rasa;
SQL
