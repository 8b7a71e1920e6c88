"""The job domain: records and queue in Redis, inputs and results on disk, models that workers announced."""
