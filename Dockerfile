# Two images from one file: `airflow` (every component of Airflow and every task) and `spark` (drivers, executors, the
# History server). BASE_IMAGE is a Debian 12 with Python 3.11; name it by digest, it has no default on purpose:
#   make image BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm@sha256:…
# Python comes from the wheel and hashed requirements (the whole set: pip need not, and may not, add to it), jars by sha256.
# Nothing is compiled here, so no compiler is left.
ARG BASE_IMAGE

# Debian's packages are not pinned: rebuilding brings their security updates.
FROM ${BASE_IMAGE} AS system
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates openjdk-17-jre-headless tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && useradd --uid 50000 --gid 0 --home-dir /opt/airflow --create-home --shell /usr/sbin/nologin headwater \
 && chmod 0775 /opt/airflow
COPY --chmod=0555 image/entrypoint /entrypoint
ENV PATH=/opt/headwater/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEADWATER_HOME=/opt/airflow/headwater \
    HEADWATER_REPOSITORY=/opt/airflow/repository \
    HEADWATER_JARS=/opt/spark-jars \
    SODA_CORE_TELEMETRY_ENABLED=false \
    DATAHUB_TELEMETRY_ENABLED=false

FROM system AS airflow-python
COPY requirements.txt /build/
RUN python3 -m venv /opt/headwater \
 && pip install --no-cache-dir --no-deps --require-hashes --requirement /build/requirements.txt
COPY dist/headwater-*.whl image/licences.py /build/
RUN pip install --no-cache-dir --no-deps --no-index /build/headwater-*.whl \
 && python /build/licences.py > /opt/headwater/licences.tsv \
 && pip uninstall --yes --quiet pip

FROM system AS spark-python
COPY requirements-spark.txt /build/
RUN python3 -m venv /opt/headwater \
 && pip install --no-cache-dir --no-deps --require-hashes --requirement /build/requirements-spark.txt
COPY dist/headwater-*.whl image/licences.py /build/
RUN pip install --no-cache-dir --no-deps --no-index /build/headwater-*.whl \
 && python /build/licences.py > /opt/headwater/licences.tsv \
 && pip uninstall --yes --quiet pip

# Fetched by the Ivy inside pyspark, refused unless their sha256 is the one in headwater's jars.lock.
FROM spark-python AS jars
RUN python -c "from headwater.adapters.embedded.jars import ensure_jars; ensure_jars()"

FROM system AS airflow
# Git bundles are cloned by git, over ssh
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git openssh-client \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=airflow-python /opt/headwater /opt/headwater
COPY --from=jars /opt/spark-jars /opt/spark-jars
ENV AIRFLOW_HOME=/opt/airflow \
    SCARF_ANALYTICS=false
WORKDIR /opt/airflow
USER 50000:0
RUN mkdir -p /opt/airflow/repository/dags /opt/airflow/headwater
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD ["headwater", "doctor"]
ENTRYPOINT ["/entrypoint"]
CMD ["airflow", "version"]

FROM system AS spark
COPY --from=spark-python /opt/headwater /opt/headwater
COPY --from=jars /opt/spark-jars /opt/spark-jars
# where Spark looks for jars of its own, and paths that are the same for all versions of Python
RUN ln -s "$(python -c 'import pyspark, pathlib; print(pathlib.Path(pyspark.__file__).parent)')" /opt/spark \
 && ln -s /opt/spark-jars/*.jar /opt/spark/jars/ \
 && ln -s "$(python -c 'import headwater_spark.entrypoints as e; print(e.__path__[0])')" /opt/spark-jobs
COPY --chmod=0555 image/spark-entrypoint /opt/spark-entrypoint
ENV SPARK_HOME=/opt/spark
WORKDIR /opt/airflow
USER 50000:0
RUN mkdir -p /opt/airflow/repository/dags /opt/airflow/headwater
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD ["headwater", "doctor"]
ENTRYPOINT ["/opt/spark-entrypoint"]
CMD ["spark-submit", "--version"]
