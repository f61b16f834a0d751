package main

// What the operator may do in the cluster. `make generate` turns these markers, and those of the controllers, into
// config/rbac/role.yaml; a test runs the operator with that role alone.
//
// It reads what people write:
//
// +kubebuilder:rbac:groups="",resources=namespaces;nodes;services,verbs=get;list;watch
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=get;list;watch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses;ingressclasses,verbs=get;list;watch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gatewayclasses;gateways;listenersets;httproutes;grpcroutes,verbs=get;list;watch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=referencegrants;backendtlspolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups=gateway.k8s.aws,resources=loadbalancerconfigurations;targetgroupconfigurations;listenerruleconfigurations,verbs=get;list;watch
// +kubebuilder:rbac:groups=elbv2.k8s.aws,resources=ingressclassparams,verbs=get;list;watch
// +kubebuilder:rbac:groups=elbv2.k8s.aws,resources=albtargetcontrolconfigs,verbs=get
//
// It reads which version of the Gateway API is installed, and whether definitions are being deleted:
//
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get,resourceNames=gatewayclasses.gateway.networking.k8s.io
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get,resourceNames=gateways.gateway.networking.k8s.io
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get,resourceNames=httproutes.gateway.networking.k8s.io
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get,resourceNames=grpcroutes.gateway.networking.k8s.io
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get,resourceNames=listenersets.gateway.networking.k8s.io
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get,resourceNames=referencegrants.gateway.networking.k8s.io
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get,resourceNames=loadbalancerconfigurations.gateway.k8s.aws
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get,resourceNames=targetgroupconfigurations.gateway.k8s.aws
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get,resourceNames=listenerruleconfigurations.gateway.k8s.aws
//
// It reads and watches the Secrets that Ingresses and Gateways name, each by itself. There is no right to list them:
//
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;watch
//
// It sets finalizers before it creates anything in AWS, and reports on the objects themselves:
//
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses,verbs=patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses/status,verbs=patch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gatewayclasses;gateways,verbs=patch
// +kubebuilder:rbac:groups=gateway.k8s.aws,resources=loadbalancerconfigurations;targetgroupconfigurations;listenerruleconfigurations,verbs=patch
// +kubebuilder:rbac:groups=gateway.k8s.aws,resources=loadbalancerconfigurations/status;targetgroupconfigurations/status,verbs=patch
// +kubebuilder:rbac:groups=gateway.k8s.aws,resources=listenerruleconfigurations/status,verbs=patch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gatewayclasses/status;gateways/status;listenersets/status,verbs=patch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes/status;grpcroutes/status,verbs=patch
// +kubebuilder:rbac:groups="";events.k8s.io,resources=events,verbs=create;patch
//
// It writes down which targets of a target group that several clusters share are its own, in ConfigMaps that go with their binding, and reads
// and watches those of authorities that Gateways name, each by itself. There is no right to list them:
//
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;watch;create;patch
//
// It opens the readiness gates of pods, watches the pods of namespaces that have such, and has the API server trust its webhook:
//
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods/status,verbs=patch
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingwebhookconfigurations,verbs=get;patch,resourceNames=headgate-webhook
//
// It owns these. Of ServiceAccounts those that it makes beside Gateways, for the labels that these ask for; nothing runs with them:
//
// +kubebuilder:rbac:groups="",resources=serviceaccounts,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=elbv2.k8s.aws,resources=targetgroupbindings,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=elbv2.k8s.aws,resources=targetgroupbindings/status,verbs=patch
// +kubebuilder:rbac:groups=headgate.dev,resources=loadbalancers,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=headgate.dev,resources=stackstates,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=headgate.dev,resources=loadbalancers/status,verbs=patch
//
// It leads by the incumbent's lease, so that the two never run together:
//
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=create,namespace=kube-system
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;update;patch,namespace=kube-system,resourceNames=aws-load-balancer-controller-leader
