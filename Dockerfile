# One image for every part of Envoi; the command says which part runs. docker-compose.yml and docs/deploy.md use it.
FROM python:3.12-slim

# The init must be there: the kernel spares process 1 of a container the default action of SIGALRM, so a worker that
# is process 1 itself would outlive its dead-man timer (the last guard against sending twice).
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin envoi

WORKDIR /app

# Before the code, so that a change of code does not install the packages anew. Wheels only: nothing is compiled.
COPY requirements/image.txt requirements/image.txt
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --only-binary=:all: --requirement requirements/image.txt

# The applications are in no wheel: they run from here.
COPY envoi envoi
COPY worker worker
COPY scheduler scheduler
COPY migrations migrations
COPY sandbox sandbox

# After pip, which compiles what it installs. From here on nothing writes: the containers' file systems are read-only.
ENV PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# By number, so that a runtime can see that it is not root.
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "python", "-m", "envoi"]
CMD ["--help"]
