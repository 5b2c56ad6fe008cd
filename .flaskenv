# A plain `flask run` listens where CALLBACK_HOSTNAME and CALLBACK_PORT say when they come from the environment.
FLASK_RUN_HOST = ${CALLBACK_HOSTNAME:-127.0.0.1}
FLASK_RUN_PORT = ${CALLBACK_PORT:-5000}
