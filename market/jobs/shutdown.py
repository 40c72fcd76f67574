"""Set when the process is told to stop (SIGTERM): whatever runs long looks at it."""

import threading

shutdown = threading.Event()
