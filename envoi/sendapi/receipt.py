"""The receipt template (SEND_API 3, Templates)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr

from envoi.sendapi.part import Amount, Name, Part, Url

MOST_ELEMENTS = 100
_Currency = Annotated[StrictStr, Field(pattern=r"^[A-Z]{3}$")]


class ReceiptElement(Part):
    """One thing that was bought."""

    title: Name
    subtitle: Name | None = None
    quantity: Annotated[StrictInt, Field(ge=0, le=1_000_000_000)] | None = None
    price: Amount | None = None
    currency: _Currency | None = None
    image_url: Url | None = None


class Address(Part):
    """Where it goes."""

    street_1: Name
    street_2: StrictStr | None = Field(None, max_length=1000, pattern=r"^[^\x00]*$")  # samples send it empty
    city: Name
    postal_code: Name
    state: Name
    country: Name


class Adjustment(Part):
    """A discount or the like."""

    name: Name
    amount: Amount


class Summary(Part):
    """What it costs in all."""

    total_cost: Amount
    subtotal: Amount | None = None
    shipping_cost: Amount | None = None
    total_tax: Amount | None = None


class ReceiptTemplate(Part):
    """An order's confirmation. ``timestamp``: seconds since 1970, as digits (a bad one was once answered 1200)."""

    template_type: Literal["receipt"]
    recipient_name: Name
    order_number: Name
    currency: _Currency
    payment_method: Name
    summary: Summary
    timestamp: Annotated[StrictStr, Field(pattern=r"^[0-9]{1,10}$")] | None = None
    order_url: Url | None = None
    merchant_name: Name | None = None
    elements: Annotated[list[ReceiptElement], Field(max_length=MOST_ELEMENTS)] | None = None
    address: Address | None = None
    adjustments: Annotated[list[Adjustment], Field(max_length=MOST_ELEMENTS)] | None = None
    sharable: StrictBool | None = None
