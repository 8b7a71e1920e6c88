# Three images from one recipe:
#
#   docker build --target api .           the HTTP service, and the sweeper (`fixlip sweep`); has no torch
#   docker build --target worker-cpu .    a worker; with PyTorch's index of CPU builds in the build argument
#                                         PIP_EXTRA_INDEX_URL the image is several gigabytes smaller
#   docker build --target worker-cuda .   a worker on each GPU, with torch's CUDA build
#
# Apart from the small demo encoder, which is part of the package, weights are mounted, never baked in.
# The constraints file pins what the commands do not.
# hadolint global ignore=DL3013
ARG PYTHON_IMAGE=python:3.11.9-slim-bookworm

# ---- environments: made here, copied whole into images that have no build tools ----
FROM ${PYTHON_IMAGE} AS build
ARG PIP_INDEX_URL
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
ENV PATH=/opt/fixlip/bin:$PATH
WORKDIR /src
COPY constraints.txt ./
RUN python -m venv /opt/fixlip && pip install hatchling
# Empty packages are enough to install the dependencies, so that a change of the sources does not install them again.
COPY pyproject.toml ./
RUN for package in fixlip fixlip_core service worker; do mkdir $package && touch $package/__init__.py; done \
    && touch LICENSE README.md

FROM build AS api-build
# Of open_clip the service needs the vocabulary file alone; its dependencies would bring torch.
RUN pip install --no-build-isolation '.[otel]' && pip install --no-deps open_clip_torch
COPY . .
RUN pip install --no-build-isolation --no-deps --force-reinstall .

FROM build AS worker-cpu-build
ARG PIP_EXTRA_INDEX_URL
RUN pip install --no-build-isolation '.[otel,worker]'
COPY . .
RUN pip install --no-build-isolation --no-deps --force-reinstall .

FROM build AS worker-cuda-build
RUN pip install --no-build-isolation '.[otel,worker]'
COPY . .
RUN pip install --no-build-isolation --no-deps --force-reinstall .

# ---- images: nothing is written outside /data, the caches of weights and /tmp ----
FROM ${PYTHON_IMAGE} AS runtime
RUN groupadd --gid 10001 fixlip \
    && useradd --uid 10001 --gid fixlip --create-home fixlip \
    && install --directory --owner fixlip --group fixlip /data /home/fixlip/.cache
ENV PATH=/opt/fixlip/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    FIXLIP_DATA_DIR=/data
WORKDIR /home/fixlip
USER 10001:10001

FROM runtime AS api
COPY --from=api-build /opt/fixlip /opt/fixlip
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["fixlip", "serve", "--host", "0.0.0.0", "--port", "8000"]

# `cuda` rather than `all`: a container that has lost its GPUs is to fail, not to be slow.
FROM runtime AS worker-cuda
COPY --from=worker-cuda-build /opt/fixlip /opt/fixlip
ENV FIXLIP_DEVICE=cuda
HEALTHCHECK --interval=30s --timeout=15s --start-period=600s --retries=3 CMD ["fixlip", "check", "worker"]
CMD ["fixlip", "worker", "--devices", "cuda"]

# Last, so that a build without a target makes an image that can explain on any machine.
FROM runtime AS worker-cpu
COPY --from=worker-cpu-build /opt/fixlip /opt/fixlip
ENV FIXLIP_DEVICE=cpu
HEALTHCHECK --interval=30s --timeout=15s --start-period=600s --retries=3 CMD ["fixlip", "check", "worker"]
CMD ["fixlip", "worker"]
