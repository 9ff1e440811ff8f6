"""The sales API: what sales systems and sales people ask and say."""

from services.routing.api.app import make_sales_api
from services.routing.api.publishing import KafkaPublisher, Publisher

__all__ = ["KafkaPublisher", "Publisher", "make_sales_api"]
