# The app in a container: no compiler, no emulator, no tests, no secret; docs/deploy.md says how to run it.
FROM python:3.13-slim AS packages
WORKDIR /build
COPY requirements.txt requirements.lock ./
# The second installation finds everything there; it ends the build where requirements.txt has what the lock has not.
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock \
 && /venv/bin/pip install --no-cache-dir --no-index --requirement requirements.txt \
 && /venv/bin/pip uninstall --yes pip

FROM python:3.13-slim
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
# Compiled here, as the app's user may write nowhere. Files are everybody's to read, so that any user id will do. A volume
# that is mounted at /data is its user's.
RUN chmod -R a+rX . && python -m compileall -q . && install -d -m 700 -o 10001 -g 10001 /data
# Threads share two arenas of memory, not sixteen: 3 MB less a worker, and no slower.
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 FLASK_SKIP_DOTENV=1 PORT=8000 MALLOC_ARENA_MAX=2
EXPOSE 8000
USER 10001:10001
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["python", "-c", \
  "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:%s/livez' % os.environ['PORT'], timeout=4)"]
# gunicorn takes the signal itself, and finishes what is under way: give it 60 seconds (docker stop --time 60).
CMD ["gunicorn"]
