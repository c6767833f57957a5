#!/usr/bin/env python3
"""Writes a folder of manifests like those of a large GitOps repository: many services, a few GPU workloads.

    scripts/generate_tree.py FOLDER [--files 20000] [--seed 1]

The same arguments always give the same bytes. About one file in two hundred is of interest to gpulint.
"""

import argparse
import random
from pathlib import Path

WORDS = (
    "account api audit auth billing cart catalog checkout config console customer delivery email events export feed "
    "gateway geo identity import inventory invoice ledger location mail media metrics notify order partner payment "
    "pricing product profile quota rating refund report review routing search session shipping stock store tax team "
    "tenant token tracking user vendor video wallet web worker"
).split()
PROSE = (
    "the a an of to in for that with when which is are be must may not set this field value default object name list "
    "resource controller number seconds selector label pod node container volume policy update status condition "
    "reference namespace cluster object key secret config optional required string integer true false"
).split()


def prose(rng: random.Random, count: int) -> str:
    return " ".join(rng.choice(PROSE) for _ in range(count)).capitalize() + "."


def deployment(rng: random.Random, name: str) -> str:
    env = "".join(
        f"            - name: {rng.choice(WORDS).upper()}_{rng.choice(WORDS).upper()}\n"
        f"              value: {rng.choice(WORDS)}-{rng.randrange(1000)}\n"
        for _ in range(rng.randrange(2, 20))
    )
    return f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {rng.choice(WORDS)}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: {rng.choice(WORDS)}
spec:
  replicas: {rng.randrange(1, 9)}
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
      annotations:
        prometheus.io/scrape: "true"
    spec:
      serviceAccountName: {name}
      containers:
        - name: {name}
          image: registry.example.com/{rng.choice(WORDS)}/{name}:v{rng.randrange(9)}.{rng.randrange(40)}.{rng.randrange(9)}
          ports:
            - name: http
              containerPort: 8080
          env:
{env}          resources:
            requests:
              cpu: {rng.randrange(1, 20) * 50}m
              memory: {rng.randrange(1, 16) * 128}Mi
            limits:
              memory: {rng.randrange(16, 32) * 128}Mi
          readinessProbe:
            httpGet:
              path: /ready
              port: http
            periodSeconds: 10
          securityContext:
            readOnlyRootFilesystem: true
            runAsNonRoot: true
"""


def service(rng: random.Random, name: str) -> str:
    return f"""apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {rng.choice(WORDS)}
spec:
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: 80
      targetPort: http
"""


def config_map(rng: random.Random, name: str) -> str:
    lines = "".join(f"    {rng.choice(WORDS)}.{rng.choice(WORDS)} = {rng.randrange(10**6)}\n" for _ in range(rng.randrange(5, 120)))
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  application.properties: |\n{lines}"


def rbac(rng: random.Random, name: str) -> str:
    verbs = rng.sample(["get", "list", "watch", "create", "update", "patch", "delete"], 4)
    return f"""apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {name}
rules:
  - apiGroups: [""]
    resources: [configmaps, secrets]
    verbs: [{", ".join(verbs)}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {name}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {name}
subjects:
  - kind: ServiceAccount
    name: {name}
"""


def ingress(rng: random.Random, name: str) -> str:
    return f"""apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  annotations:
    cert-manager.io/cluster-issuer: letsencrypt
spec:
  rules:
    - host: {name}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {name}
                port:
                  name: http
"""


def kustomization(rng: random.Random, name: str) -> str:
    return f"""apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {rng.choice(WORDS)}
resources:
  - ../../base/{name}
patches:
  - path: replicas.yaml
images:
  - name: registry.example.com/{name}
    newTag: v{rng.randrange(9)}.{rng.randrange(40)}.{rng.randrange(9)}
"""


def values(rng: random.Random, name: str) -> str:
    out = [f"# Values of {name}.\nreplicaCount: {rng.randrange(1, 9)}\nimage:\n  repository: registry.example.com/{name}\n  tag: latest\n"]
    for _ in range(rng.randrange(5, 80)):
        key = rng.choice(WORDS) + rng.choice(WORDS).capitalize()
        out.append(f"# -- {prose(rng, 8)}\n{key}:\n  enabled: {rng.choice(['true', 'false'])}\n  {rng.choice(WORDS)}: {rng.randrange(1000)}\n")
    return "".join(out)


def definition(rng: random.Random, name: str, size: int) -> str:
    out = [
        f"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: {name}s.example.com\n"
        f"spec:\n  group: example.com\n  names:\n    kind: {name.title().replace('-', '')}\n    plural: {name}s\n  scope: Namespaced\n"
        "  versions:\n    - name: v1\n      served: true\n      storage: true\n      schema:\n        openAPIV3Schema:\n"
        "          type: object\n          properties:\n"
    ]
    length = 0
    while length < size:
        depth = " " * (12 + 2 * rng.randrange(0, 12))
        field = (
            f"{depth}{rng.choice(WORDS)}{rng.randrange(10**6)}:\n{depth}  description: |-\n{depth}    {prose(rng, 24)}\n"
            f"{depth}    {prose(rng, 24)}\n{depth}  type: {rng.choice(['string', 'integer', 'boolean', 'object'])}\n"
        )
        out.append(field)
        length += len(field)
    return "".join(out)


def gpu(rng: random.Random, name: str) -> str:
    kind = rng.randrange(4)
    if kind == 0:
        return f"""apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: {name}
spec:
  template:
    spec:
      nodeClassRef: {{group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}}
      taints:
        - {{key: nvidia.com/gpu, effect: NoSchedule}}
      requirements:
        - {{key: node.kubernetes.io/instance-type, operator: In, values: [p5.48xlarge]}}
        - {{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}}
  disruption:
    consolidationPolicy: {rng.choice(["WhenEmpty", "WhenEmptyOrUnderutilized"])}
    consolidateAfter: 1h
"""
    if kind == 1:
        return f"""apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {name}
spec:
  scaleTargetRef:
    name: {name}
  minReplicaCount: 1
  triggers:
    - type: prometheus
      metadata:
        serverAddress: http://prometheus.monitoring:9090
        query: {rng.choice(["sum(vllm:num_requests_waiting)", "avg(DCGM_FI_DEV_GPU_UTIL)"])}
        threshold: "5"
"""
    if kind == 2:
        return f"""apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata:
  name: {name}
spec:
  leaderWorkerTemplate:
    size: 2
    workerTemplate:
      spec:
        containers:
          - name: vllm
            image: vllm/vllm-openai:v0.10.0
            command: [sh, -c, "vllm serve meta-llama/Llama-3.1-405B --tensor-parallel-size 8 --pipeline-parallel-size 2"]
            resources:
              limits:
                nvidia.com/gpu: 8
"""
    return f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  template:
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.10.0
          args: [--model=meta-llama/Llama-3.1-8B-Instruct]
          resources:
            limits:
              nvidia.com/gpu: 1
"""


def content(rng: random.Random, name: str) -> tuple[str, str]:
    """The file name and the text of one file."""
    pick = rng.random()
    if pick < 0.005:
        return "serving.yaml", gpu(rng, name)
    if pick < 0.010:
        # A few are large: definitions of APIs of up to 1 MB.
        size = rng.choice([20_000] * 12 + [100_000] * 5 + [400_000] * 2 + [1_000_000])
        return "crd.yaml", definition(rng, name, size)
    kinds = [
        (0.30, "deployment.yaml", deployment),
        (0.50, "service.yaml", service),
        (0.65, "configmap.yaml", config_map),
        (0.75, "rbac.yaml", rbac),
        (0.82, "ingress.yaml", ingress),
        (0.92, "kustomization.yaml", kustomization),
        (1.01, "values.yaml", values),
    ]
    for limit, file, make in kinds:
        if pick < limit:
            return file, make(rng, name)
    raise AssertionError(pick)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    for at in range(args.files):
        name = f"{rng.choice(WORDS)}-{rng.choice(WORDS)}-{at}"
        file, text = content(rng, name)
        team, stage = WORDS[at % len(WORDS)], rng.choice(["base", "overlays/staging", "overlays/production"])
        folder = args.folder / "clusters" / f"c{at % 7}" / team / stage / f"{at % 40:02}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}-{file}").write_text(text)


if __name__ == "__main__":
    main()
