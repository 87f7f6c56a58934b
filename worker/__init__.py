"""The worker: takes a job, makes its calls, settles it."""
