"""Envoi delivers messages through Meta's Send API: nothing lost, nothing sent twice, nothing out of order.

>>> from envoi import Envoi
>>> envoi = Envoi()
>>> job_id = envoi.send("PAGE", "PSID", "hello")
"""
