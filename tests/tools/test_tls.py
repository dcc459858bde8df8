"""The function's TLS against OpenSSL. EC2's certificates have RSA keys, and FIPS endpoints use no X25519."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import emulator
import pytest
import trustme

RESPONSE = b"""<DeprovisionIpamByoasnResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <byoasn><asn>64500</asn><ipamId>ipam-0123456789abcdef0</ipamId><state>pending-deprovision</state></byoasn>
</DeprovisionIpamByoasnResponse>"""


class Ec2(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.versions.append(self.connection.version())
        self.send_response(200)
        self.send_header("Content-Length", str(len(RESPONSE)))
        self.end_headers()
        self.wfile.write(RESPONSE)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("key_type", trustme.KeyType)
@pytest.mark.parametrize("curve", ["X25519", "prime256v1", "secp384r1"])
def test_deprovision_over_tls(version, key_type, curve, tmp_path):
    authority = trustme.CA(key_type=key_type)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.set_ecdh_curve(curve)
    authority.issue_cert("localhost", key_type=key_type).configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), Ec2) as server:
        server.versions = []
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        endpoint = f"https://localhost:{server.server_port}"
        try:
            with emulator.running(endpoint, tmp_path / "log", SSL_CERT_FILE=str(tmp_path / "ca.pem")) as function:
                assert function.invoke(emulator.REQUEST) == emulator.PENDING
        finally:
            server.shutdown()
            thread.join()
    assert server.versions == [version.name.replace("_", ".")]
