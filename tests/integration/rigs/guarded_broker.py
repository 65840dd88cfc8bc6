"""A real broker with logins, TLS and ACLs.

Its listeners: PLAINTEXT is for the rig itself, its anonymous user is the super user; SASL_PLAINTEXT takes PLAIN and
SCRAM-SHA-256; SSL has a certificate of a CA of the rig's own; SASL_SSL has both.
"""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import trustme
from cryptography.hazmat.primitives import serialization as pem
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from tests.integration.rigs.broker_rig import KafkaBroker

from contribd.simulation.demo.embedded_broker import free_port

USER, PASSWORD = "contribd", "correct horse"

_CONFIGURATION = """
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},{listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},{listeners}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,\
SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
_LOGINS = """\
listener.name.{listener}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_{user}="{password}";
listener.name.{listener}.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \
required;
"""

_REFUSED = "Failed authentication with"


class Right(NamedTuple):
    """What the user may do: an ACL. ``resource``: topic, group, transactional_id or cluster."""

    resource: str
    name: str
    operation: str
    prefixed: bool = False

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}{'*' if self.prefixed else ''}"


class GuardedBroker(KafkaBroker):
    """``bootstrap`` is the rig's own listener; see ``listener`` for the others."""

    def __init__(self, directory: Path, **options: Any) -> None:
        super().__init__(directory, **options)
        self._ports: dict[str, int] = {}
        self.ca_file = directory / "ca.pem"
        """The CA of the broker's certificate, which names 127.0.0.1 and not localhost."""

    def listener(self, protocol: str, host: str = "127.0.0.1") -> str:
        """``host:port`` of the listener that speaks ``protocol``."""
        return f"{host}:{self._ports.get(protocol, self.port)}"

    def login(self, mechanism: str = "PLAIN", password: str = PASSWORD, **more: Any) -> dict[str, Any]:
        """``kafka.client`` of the user at SASL_PLAINTEXT."""
        name = {"sasl_mechanism": mechanism, "sasl_plain_username": USER, "sasl_plain_password": password}
        return {"security_protocol": "SASL_PLAINTEXT", **name, **more}

    def refused_logins(self) -> int:
        """How many its log has since its first start."""
        return self.log.read_text(errors="replace").count(_REFUSED)

    def allow(self, rights: Iterable[Right]) -> None:
        """Gives the user these rights, too."""
        with self._admin() as admin:
            given = admin.create_acls([_acl(right) for right in rights])
        assert not given["failed"], given

    def forbid(self, rights: Iterable[Right]) -> None:
        """Takes these rights from the user."""
        with self._admin() as admin:
            admin.delete_acls([_filter(right) for right in rights])

    def forbid_all(self) -> None:
        """Takes all rights from the user."""
        everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        with self._admin() as admin:
            admin.delete_acls([ACLFilter(None, "*", ACLOperation.ANY, ACLPermissionType.ANY, everything)])

    def change_password(self, password: str) -> None:
        """Sets the user's password for SCRAM."""
        with self._admin() as admin:
            change = UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_256, password)
            assert admin.alter_user_scram_credentials([change]) == {USER: None}

    def _admin(self) -> closing[Any]:
        return closing(KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{self.port}"))

    def _settle_in(self) -> None:
        super()._settle_in()
        self.change_password(PASSWORD)

    def _choose_port(self) -> int:
        port = super()._choose_port()
        file = self.directory / "server.properties"
        text = file.read_text()
        controller = text.partition("controller.quorum.voters=1@127.0.0.1:")[2].partition("\n")[0]
        self._ports = {protocol: free_port() for protocol in ("SASL_PLAINTEXT", "SSL", "SASL_SSL")}
        # Of two lines with one name the last one counts.
        text += _CONFIGURATION.format(
            plain=port,
            controller=controller,
            listeners=",".join(f"{protocol}://127.0.0.1:{number}" for protocol, number in self._ports.items()),
            keystore=self._keystore(),
        )
        for listener in ("sasl_plaintext", "sasl_ssl"):
            text += _LOGINS.format(listener=listener, user=USER, password=PASSWORD)
        file.write_text(text)
        return port

    def _keystore(self) -> Path:
        authority = trustme.CA()
        leaf, file = authority.issue_cert("127.0.0.1"), self.directory / "keystore.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        leaf.private_key_and_cert_chain_pem.write_to_path(file)
        # Java wants the key in PKCS #8.
        key = pem.load_pem_private_key(leaf.private_key_pem.bytes(), None)
        as_java = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
        file.write_bytes(as_java + b"".join(each.bytes() for each in leaf.cert_chain_pems))
        return file


def _acl(right: Right) -> ACL:
    kind = ACLResourcePatternType.PREFIXED if right.prefixed else ACLResourcePatternType.LITERAL
    pattern = ResourcePattern(ResourceType[right.resource.upper()], right.name, kind)
    operation = ACLOperation[right.operation.upper()]
    return ACL(f"User:{USER}", "*", operation, ACLPermissionType.ALLOW, pattern)


def _filter(right: Right) -> ACLFilter:
    acl = _acl(right)
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, acl.resource_pattern)
