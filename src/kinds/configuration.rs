//! Configuration files of controllers that have the form of an object.

use super::{Model, Reading, settings};

/// The configuration of the LeaderWorkerSet controller, the KubeRay operator or the Grove operator.
pub(super) fn controller(object: &Reading<'_>) -> Model {
    Model { hints: settings::hints(object.node), ..Model::default() }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn controllers_tell_of_gangs() {
        check(
            "apiVersion: config.lws.x-k8s.io/v1alpha1
kind: Configuration
gangSchedulingManagement: {schedulerProvider: volcano}
",
            "hint LeaderWorkerSetGangs",
        );
        check(
            "apiVersion: config.lws.x-k8s.io/v1alpha1
kind: Configuration
gangSchedulingManagement: {schedulerProvider: '{{ .Values.provider }}'}
",
            "",
        );
        check(
            "{apiVersion: config.ray.io/v1alpha1, kind: Configuration, batchScheduler: kai-scheduler}",
            "hint KubeRayGangs",
        );
        check("{apiVersion: config.ray.io/v1alpha1, kind: Configuration, batchScheduler: {name: ''}}", "");
        check(
            "apiVersion: operator.config.grove.io/v1alpha1
kind: OperatorConfiguration
scheduler: {profiles: [{name: kai-scheduler}], defaultProfileName: kai-scheduler}
",
            "hint GroveGangs",
        );
        check(
            "apiVersion: operator.config.grove.io/v1alpha1
kind: OperatorConfiguration
scheduler: {defaultProfileName: default-scheduler}
",
            "",
        );
    }

    #[test]
    fn files_of_a_config_map_tell_of_gangs() {
        let file = |file: &str, expect: &str| {
            let file = file.replace('\n', "\n    ");
            let text = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  config.yaml: |\n    {file}\n");
            check(&text, &format!("{expect}\ndata config.yaml"));
        };
        let lws =
            "apiVersion: config.lws.x-k8s.io/v1alpha1\nkind: Configuration\ngangSchedulingManagement:\n";
        file(&format!("{lws}  schedulerProvider: volcano"), "hint LeaderWorkerSetGangs");
        file(&format!("{lws}  schedulerProvider: kubernetes"), "hint Uses(Native)");
        file(&format!("{lws}  schedulerProvider: [x]"), "");
        file(&format!("{lws}  schedulerProvider: 'volcano"), "");
        file("scheduler:\n  defaultProfileName: volcano", "hint GroveGangs");
        file("batchScheduler: yunikorn", "hint KubeRayGangs");
        file("batchScheduler: {{ name }}", "");
    }
}
