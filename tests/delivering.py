"""What the hub of event streams does in one turn, without its thread."""

from contextlib import contextmanager
from unittest.mock import patch

from ..models import stream_hub
from ..models.stream_delivery import Delivery
from ..services.stream_index import StreamIndex


class DeliveryMixin:
    """An index of streams that is the database's for one test, and a delivery to them."""

    def setUp(self):
        super().setUp()
        self.index = StreamIndex()
        index = patch.dict(stream_hub._indexes, {self.env.cr.dbname: self.index})
        index.start()
        self.addCleanup(index.stop)
        self.delivery = Delivery(self.env, self.index)
        # A test has one transaction, which another cursor would not see.
        self.patch(Delivery, "_acting", self.acting)

    @contextmanager
    def acting(self, credential):
        yield self.registry_as(self.env["res.users"].browse(credential.user_id)).env
