"""A Django project whose orders and messages are one transaction, and that takes webhooks.

python examples/django_app/manage.py migrate --run-syncdb
python examples/django_app/manage.py runserver
envoi outbox relay                       # beside it, with ENVOI_OUTBOX_DATABASE_URL of the same database
"""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    execute_from_command_line(sys.argv)
