# Heard in one image. With compose.yaml, see its first lines; by hand:
#   docker build -t heard .
#   docker run --rm -v heard:/data heard heard init --workspace Acme     (prints the keys and the owner's password, once)
#   docker run -p 127.0.0.1:8800:8800 -v heard:/data heard
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir "uv>=0.5"
WORKDIR /heard
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/heard UV_PYTHON_DOWNLOADS=never
# The dependencies first: they change less often than Heard does.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY src src
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home heard && install -d -o heard -g heard -m 0700 /data
COPY --from=build /opt/heard /opt/heard
ENV PATH=/opt/heard/bin:$PATH HEARD_DATA=/data PYTHONUNBUFFERED=1
USER heard
VOLUME /data
EXPOSE 8800
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8800/health', timeout=2)"]
CMD ["heard", "serve", "--host", "0.0.0.0"]
