"""Who may reach whom in the cluster, and the way in for people."""

from __future__ import annotations

from collections.abc import Iterator

from core.deployment.pods import Object, build_object, selector
from core.deployment.service_plan import NAME, DeployedProcess, ServicePlan

CLOUD_METADATA = ("169.254.0.0/16",)
STREAM_LIMIT_S = "3600"  # an open page keeps its WebSocket


def network_policies(plan: ServicePlan) -> Iterator[Object]:
    """One policy for what all pods may reach, and one for the callers of each port."""
    yield policy(NAME, None, ["Ingress", "Egress"], egress=describe_egress(plan))
    for process in plan.processes:
        if process.port:
            yield policy(process.full_name, process.name, ["Ingress"], ingress=[describe_callers(process)])


def policy(name: str, component: str | None, types: list[str], **rules: list[Object]) -> Object:
    spec = {"podSelector": {"matchLabels": selector(component)}, "policyTypes": types, **rules}
    return build_object("networking.k8s.io/v1", "NetworkPolicy", name, component, spec=spec)


def describe_egress(plan: ServicePlan) -> list[Object]:
    """Names, pods of the service, and any address: databases, engines, platforms and cited pages have many ports.

    The cloud's metadata is left out, except for a bot whose identity comes from there.
    """
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    needs_metadata = plan.environment.public.get("TEAMS_CREDENTIAL") == "managed_identity"
    hidden = {} if needs_metadata else {"except": list(CLOUD_METADATA)}
    return [
        {"to": [{"namespaceSelector": {}}], "ports": dns},
        {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", **hidden}}, {"ipBlock": {"cidr": "::/0"}}]},
        {"to": [{"podSelector": {"matchLabels": selector(None)}}]},
    ]


def describe_callers(process: DeployedProcess) -> Object:
    """The model answers this service's pods alone; health checks come from the node, which no policy stops."""
    ports = [{"protocol": "TCP", "port": "http"}]
    if process.name == "model":
        return {"from": [{"podSelector": {"matchLabels": selector(None)}}], "ports": ports}
    return {"from": [{"namespaceSelector": {}}], "ports": ports}


def describe_ingress(plan: ServicePlan) -> Object:
    """The way to the page under each host of WEB_ORIGINS, by HTTPS."""
    web = plan.find("web")
    assert web is not None
    backend = {"service": {"name": web.full_name, "port": {"name": "http"}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    spec = {
        "tls": [{"hosts": list(plan.hosts), "secretName": f"{NAME}-tls"}],
        "rules": [{"host": host, "http": {"paths": paths}} for host in plan.hosts],
    }
    ingress = build_object("networking.k8s.io/v1", "Ingress", NAME, "web", spec=spec)
    prefix = "nginx.ingress.kubernetes.io"
    ingress["metadata"]["annotations"] = {
        f"{prefix}/proxy-read-timeout": STREAM_LIMIT_S,
        f"{prefix}/proxy-send-timeout": STREAM_LIMIT_S,
        f"{prefix}/proxy-buffering": "off",
        f"{prefix}/proxy-body-size": "20m",
    }
    return ingress
