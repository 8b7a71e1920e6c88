"""The job domain: records and queue in Redis, inputs and results in the store, models that workers announced."""
