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
}
