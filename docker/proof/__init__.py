"""The image without a container engine: the Dockerfile's steps in a root of their own, and what
comes of them run as docker/compose.yaml says. `python3 -m docker.proof --help`; it needs Python
alone, since it runs before anything is installed."""
