//! Training jobs of Kubeflow: the kinds of the training operator and TrainJob.

use super::gang::{GangScheduler, Hidden, KaiGang};
use super::meta::Meta;
use super::parts::{evidence, named_scheduler, scheduler_is_open, workload, written};
use super::pods::{PodContainer, PodSet, PodTemplate, Purpose, gpus_of};
use super::{Model, Reading, count};
use crate::known::Known;
use crate::yaml::Node;

/// The kinds of `kubeflow.org` that run pods to an end.
pub(super) const JOBS: &[&str] =
    &["MPIJob", "PyTorchJob", "TFJob", "XGBoostJob", "JAXJob", "PaddleJob", "MXJob"];

/// The field with the replica types of each kind. Source: kubeflow/training-operator, pkg/apis/kubeflow.org/v1.
fn replica_field(kind: &str) -> &'static str {
    match kind {
        "MPIJob" => "mpiReplicaSpecs",
        "PyTorchJob" => "pytorchReplicaSpecs",
        "TFJob" => "tfReplicaSpecs",
        "XGBoostJob" => "xgbReplicaSpecs",
        "JAXJob" => "jaxReplicaSpecs",
        "PaddleJob" => "paddleReplicaSpecs",
        _ => "mxReplicaSpecs",
    }
}

/// A job of the training operator: all its replica types together are one replica. KAI Scheduler makes one gang of it
/// (kai-scheduler/KAI-Scheduler, pkg/podgrouper).
pub(super) fn job(object: &Reading<'_>) -> Model {
    let types =
        object.spec().get(replica_field(object.kind)).map(|specs| specs.entries()).unwrap_or_default();
    let sets = types
        .iter()
        .map(|entry| PodSet {
            name: entry.key.to_ascii_lowercase(),
            pods: count(entry.value, "replicas", Some(1), entry.key_node.span()),
            template: PodTemplate::of(entry.value.get("template"), entry.key_node.span()),
        })
        .collect();
    let mut workload = workload(sets, Known::Default(1, object.at), object.name_span());
    workload.gang.kai = KaiGang::Whole;
    workload.purpose = Purpose::Batch;
    if let Some(policy) = object.spec().at("runPolicy.schedulingPolicy")
        && let Some(entry) = written(policy, "minAvailable")
    {
        let scheduler = named_scheduler(&workload.sets).unwrap_or(GangScheduler::Operator);
        let min = policy.field("minAvailable");
        let field = "runPolicy.schedulingPolicy.minAvailable";
        workload.gang.declared.push(evidence(scheduler, field, entry.key_node.span(), min));
    }
    workload.gang.hidden = scheduler_is_open(&workload.sets).then(|| Hidden {
        how: "the training operator makes a PodGroup for each job where it runs with `--gang-scheduler-name`"
            .to_owned(),
        settle: "set `schedulerName` in every replica template to the gang scheduler".to_owned(),
        hint: None,
        ends_with_scheduler: false,
    });
    workload.read_meta(&object.meta);
    Model { workloads: vec![workload], ..Model::default() }
}

/// TrainJob: its pods come from a training runtime, of which the job states the number of nodes and overrides the
/// trainer's container. The job becomes a JobSet, of which KAI Scheduler makes one gang.
pub(super) fn train_job(object: &Reading<'_>) -> Model {
    let trainer = object.spec().get("trainer");
    let set = PodSet {
        name: "node".to_owned(),
        pods: trainer.map_or(Known::Absent, |t| count(t, "numNodes", None, object.at)),
        template: trainer_pod(object, trainer),
    };
    let mut workload = workload(vec![set], Known::Default(1, object.at), object.name_span());
    workload.gang.kai = KaiGang::Whole;
    workload.gang.hidden = Some(Hidden {
        how: "the training runtime may set a scheduler and a `podGroupPolicy`".to_owned(),
        settle: "keep the training runtime beside the manifests".to_owned(),
        hint: None,
        ends_with_scheduler: false,
    });
    workload.purpose = Purpose::Batch;
    workload.plain_pods = false;
    workload.read_meta(&object.meta);
    Model { workloads: vec![workload], ..Model::default() }
}

fn trainer_pod(object: &Reading<'_>, trainer: Option<Node<'_>>) -> PodTemplate {
    let mut template = PodTemplate::of_spec(None, Meta::default(), object.spec().key_span("trainer"));
    if let Some(trainer) = trainer {
        let mut container = PodContainer::of(trainer, false, &[], &[]);
        container.gpus = gpus_of(trainer.get("resourcesPerNode"));
        template.gpus = container.gpus.clone();
        template.containers.push(container);
    }
    template
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn jobs_of_the_training_operator() {
        check(
            "apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: a, labels: {kai.scheduler/queue: train}}
spec:
  runPolicy: {schedulingPolicy: {minAvailable: 3}}
  pytorchReplicaSpecs:
    Master: {template: {spec: {schedulerName: kai-scheduler, containers: [{name: c}]}}}
    Worker:
      replicas: 3
      template: {spec: {schedulerName: kai-scheduler, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}
",
            "workload - x1 by default; master x1 by default by kai-scheduler; worker x3 8 nvidia.com/gpu by kai-scheduler; kai Whole; gang Kai `runPolicy.schedulingPolicy.minAvailable` min 3; queue \"train\"",
        );
        check(
            "apiVersion: kubeflow.org/v2beta1
kind: MPIJob
metadata: {name: a}
spec:
  runPolicy: {schedulingPolicy: {minAvailable: '{{ .min }}'}}
  mpiReplicaSpecs:
    Launcher: {replicas: 1, template: {spec: {containers: []}}}
    Worker: {replicas: '{{ .n }}', template: {spec: {containers: []}}}
",
            "workload - x1 by default; launcher x1; worker xunresolved; kai Whole; gang Operator `runPolicy.schedulingPolicy.minAvailable` min unresolved; gang may be hidden",
        );
        check(
            "apiVersion: kubeflow.org/v1\nkind: TFJob\nspec: {tfReplicaSpecs: {Worker: }}\n",
            "workload - x1 by default; worker x1 by default; kai Whole; gang may be hidden",
        );
        check(
            "apiVersion: kubeflow.org/v1\nkind: JAXJob\nspec: {pytorchReplicaSpecs: {Worker: {}}}\n",
            "workload - x1 by default; kai Whole",
        );
    }

    #[test]
    fn train_jobs() {
        check(
            "apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: a, labels: {kueue.x-k8s.io/queue-name: q}}
spec: {runtimeRef: {name: torch}, trainer: {numNodes: 4, resourcesPerNode: {limits: {nvidia.com/gpu: 8}}}}
",
            "workload - x1 by default; node x4 8 nvidia.com/gpu; kai Whole; gang Kueue `kueue.x-k8s.io/queue-name`; gang may be hidden",
        );
        check(
            "apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: a}
spec: {trainer: {numNodes: '{{ .n }}'}}
",
            "workload - x1 by default; node xunresolved; kai Whole; gang may be hidden",
        );
        check(
            "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nspec: {runtimeRef: {name: torch}}\n",
            "workload - x1 by default; node x?; kai Whole; gang may be hidden",
        );
    }
}
