from ipaddress import ip_address

from odoo.tests import BaseCase, tagged

from ..services.public_address import is_public, is_public_or_internal

INTERNAL = ("10.0.0.1", "172.16.3.4", "192.168.1.1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1")
FORBIDDEN = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:808:808::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "100::1",
)


@tagged("post_install", "-at_install")
class TestServicePublicAddress(BaseCase):
    def test_public_addresses_pass(self):
        for text in (
            "8.8.8.8",
            "1.1.1.1",
            "2606:4700::1111",
            "2a00:1450:4001::8a",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ):
            self.assertTrue(is_public(ip_address(text)), text)
            self.assertTrue(is_public_or_internal(ip_address(text)), text)

    def test_addresses_that_are_not_routable_and_their_wrappers_are_refused(self):
        for text in (*INTERNAL, *FORBIDDEN):
            self.assertFalse(is_public(ip_address(text)), text)

    def test_internal_networks_are_no_way_to_this_machine_or_to_cloud_metadata(self):
        for text in INTERNAL:
            self.assertTrue(is_public_or_internal(ip_address(text)), text)
        for text in FORBIDDEN:
            self.assertFalse(is_public_or_internal(ip_address(text)), text)
