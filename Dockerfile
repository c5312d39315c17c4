# The app on port 8501: README, "A public address".
FROM python:3.12-slim

# Finished results and compiled code outlive the container in this volume.
# A worker of a cluster finds the lab too, wherever it is started.
ENV PYTHONUNBUFFERED=1 DLAB_CACHE=/cache PYTHONPATH=/lab
RUN useradd --create-home --uid 1000 lab && install --directory --owner lab /cache
WORKDIR /lab
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY app.py LICENSE ./
COPY .streamlit .streamlit
COPY dlab dlab
COPY pages pages
USER 1000
VOLUME /cache
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
