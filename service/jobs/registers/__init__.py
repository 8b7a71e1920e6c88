"""What is kept of jobs beside their records: each register changes in the transaction that changes the job."""
