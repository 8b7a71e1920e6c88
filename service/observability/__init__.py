"""How the processes of the service are watched: logs, metrics of requests, traces. It knows nothing of jobs."""
