"""The Send API's own objects, as typed models with their limits (SEND_API 2, 3)."""
