import { describe, expect, it } from 'vitest'
import type { Area } from '../../../scripts/preflight/area.ts'
import { argocd } from '../../../scripts/preflight/argocd.ts'
import { argocdRights } from '../../../scripts/preflight/argocd-rights.ts'
import { broker as brokerArea } from '../../../scripts/preflight/broker.ts'
import { clusterNames } from '../../../scripts/preflight/cluster-names.ts'
import { functions } from '../../../scripts/preflight/functions.ts'
import { eventing, serving } from '../../../scripts/preflight/knative.ts'
import { kubernetes } from '../../../scripts/preflight/kubernetes.ts'
import { ocm } from '../../../scripts/preflight/ocm.ts'
import { hubRights } from '../../../scripts/preflight/rights.ts'
import { functionNames } from '../../../shared/lifecycles.ts'
import {
  argocdImage,
  askerOf,
  at,
  broker,
  brokerUrl,
  type Cluster,
  clusterSecret,
  definition,
  encoded,
  forbidden,
  hub,
  isGranted,
  linesOf,
  list,
  managedCluster,
  named,
  names,
  notReady,
  ready,
  served,
  service,
  versioned,
} from './cluster.ts'

const ocmGroup = 'cluster.open-cluster-management.io'
const version = kubernetes('1.30', 'policies')
const areas: [string, Area<never>][] = [
  ['Kubernetes', version],
  ['Knative Eventing', eventing],
  ['Knative Serving', serving],
  ['the Broker', brokerArea],
  ['Argo CD', argocd],
  ['OCM', ocm],
  ['the names of clusters', clusterNames],
  ['the functions', functions],
  ['rights', hubRights],
  ["Argo CD's rights", argocdRights],
].map(([title, area]) => [title as string, area as Area<never>])

describe('a hub that lacks nothing', () => {
  it.each(areas)('is said to be all right by %s', async (_, area) => {
    const lines = await linesOf(area, hub())
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.filter((line) => !line.startsWith('ok: '))).toEqual([])
  })

  it('shows nothing of what its Secrets hold', async () => {
    const lines = await Promise.all(areas.map(([, area]) => linesOf(area, hub())))
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|aHVudGVy/)
  })
})

describe('what is read of a hub', () => {
  it('holds nothing of what is in Secrets but their keys', async () => {
    const facts = await Promise.all(areas.map(([, area]) => area.read(askerOf(hub()), names)))
    const text = JSON.stringify(facts)
    expect(text).toContain('Secret/drover-git')
    expect(text).not.toMatch(/hunter2|aHVudGVy/)
  })

  it('are the rights of ServiceAccounts with the groups that they are in', async () => {
    const reviews: { spec: object }[] = []
    const record = (review: { spec: object }) => reviews.push(review) > 0
    await hubRights.read(askerOf({ ...hub(), [at.reviews]: record }), names)
    const ofPlace = reviews.find(({ spec }) => JSON.stringify(spec).includes(':place'))
    expect(ofPlace?.spec).toEqual({
      user: 'system:serviceaccount:drover:place',
      groups: ['system:authenticated', 'system:serviceaccounts', 'system:serviceaccounts:drover'],
      resourceAttributes: { verb: 'get', group: ocmGroup, resource: 'managedclusters' },
    })
  })
})

type Case = [what: string, area: Area<never>, change: Cluster, line: string | RegExp]
const cases = (area: unknown, rows: [string, Cluster, string | RegExp][]): Case[] =>
  rows.map(([what, change, line]) => [what, area as Area<never>, change, line])

const url = 'https://git.example.com/fleet.git'
const withService = (name: string, changes: object) =>
  list(...functionNames.map((one) => service(one, one === name ? changes : {})))

describe('preflight says of a hub', () => {
  it.each([
    ...cases(version, [
      ['that nobody answers', { '/version': forbidden }, /^lacks: you may not -> see that the context/],
      ['that somebody else answers', { '/version': undefined }, /^lacks: It answers, but not as Kubernetes does/],
      [
        'an old version',
        { '/version': { gitVersion: 'v1.29.9+rke2' } },
        /^lacks: Kubernetes is v1.29.9\+rke2 -> upgrade it to 1.30/,
      ],
      ['no version', { '/version': { gitVersion: 'devel' } }, /^cannot tell: Its version is "devel"/],
    ]),
    ...cases(eventing, [
      [
        'a kind that is missing',
        served('sources.knative.dev', 'v1'),
        /^lacks: It does not serve pingsources.sources.knative.dev\/v1 -> install Knative Eventing 1.12 or newer/,
      ],
      [
        'a kind in another version',
        { ...served('sources.knative.dev', 'v1beta2', 'pingsources'), '/apis/sources.knative.dev/v1': undefined },
        /pingsources.sources.knative.dev\/v1 \(but v1beta2\)/,
      ],
      [
        'a kind that can be done without',
        served('eventing.knative.dev', 'v1alpha1', 'eventpolicies'),
        /^advice: It does not serve requestreplies.eventing.knative.dev\/v1alpha1.*: nobody gets the end of a run/,
      ],
      [
        'kinds that are not said',
        { '/apis/sources.knative.dev/v1': forbidden },
        /^cannot tell: Which kinds it serves is not said: you may not/,
      ],
      [
        'an old Knative',
        { [at.eventingDeployments]: list({ metadata: { labels: { 'app.kubernetes.io/version': '1.11.4' } } }) },
        'lacks: Knative Eventing is 1.11.4 -> upgrade it to 1.12 or newer: Triggers filter by `filters`',
      ],
      [
        'a Knative without a version',
        { [at.eventingDeployments]: list({ metadata: { labels: { 'app.kubernetes.io/version': 'devel' } } }) },
        /^cannot tell: Knative Eventing does not say its version/,
      ],
      [
        'a feature that is off',
        { [at.eventingFlags]: { data: { 'new-trigger-filters': 'Disabled' } } },
        /^lacks: Feature new-trigger-filters is switched off, but Triggers filter by `filters` -> kubectl patch configmap config-features -n knative-eventing --type merge -p '{"data":{"new-trigger-filters":"enabled"}}', or/,
      ],
    ]),
    ...cases(serving, [
      [
        'that functions may have no emptyDir',
        { [at.servingFlags]: { data: { 'kubernetes.podspec-volumes-emptydir': 'disabled' } } },
        /^lacks: Feature kubernetes.podspec-volumes-emptydir is switched off/,
      ],
      [
        'features that are not shown',
        { [at.servingFlags]: forbidden },
        /^cannot tell: ConfigMap config-features cannot be read: you may not/,
      ],
    ]),
    ...cases(brokerArea, [
      [
        'that Knative runs no Broker',
        { [at.ingress]: undefined },
        /^lacks: Knative Eventing runs no Broker: namespace knative-eventing has no Service broker-ingress/,
      ],
      [
        'a Broker of a class that is not run',
        { [at.broker]: broker({ annotations: { 'eventing.knative.dev/broker.class': 'Kafka' } }) },
        'lacks: The Broker is of class Kafka, which Knative does not run here -> use one of MTChannelBasedBroker',
      ],
      [
        'a Broker that answers late',
        { [at.broker]: broker({ annotations: { 'messaging.knative.dev/async-handler': 'false' } }) },
        /^lacks: The Broker lacks the annotation messaging.knative.dev\/async-handler.* -> kubectl annotate broker default -n drover messaging.knative.dev\/async-handler=true$/,
      ],
      [
        'a Knative whose Brokers all answer late',
        { [at.eventingDeployments]: versioned('1.16.3') },
        /^lacks: Knative Eventing 1.16.3 does not know the annotation messaging.knative.dev\/async-handler: .* -> upgrade it to 1.17 or newer, or use the Kafka Broker$/,
      ],
      [
        'a Broker without a dead letter sink',
        { [at.broker]: broker({ spec: { delivery: {} } }) },
        /^lacks: The Broker has no dead letter sink/,
      ],
      [
        'a Broker that is not Ready',
        { [at.broker]: broker(notReady('no channel')) },
        /^lacks: The Broker is not Ready: no channel/,
      ],
      [
        'that Drover has no Broker',
        { [at.broker]: undefined },
        'lacks: Namespace drover has no Broker default -> kubectl apply -k examples/install/hub',
      ],
      [
        'channels that are not served',
        served('messaging.knative.dev', 'v1', 'channels'),
        /^lacks: The Broker's channels are to be of kind InMemoryChannel, which the cluster does not serve/,
      ],
      [
        'that nothing says of which kind channels are',
        { [at.channel]: undefined },
        /^lacks: The Broker's ConfigMap .* says no channel/,
      ],
      [
        'a Trigger that is missing',
        { [at.triggers]: list(...functionNames.slice(1).map((name) => named(name, notReady('no Broker')))) },
        'lacks: There is no Trigger for validate -> kubectl apply -k triggers',
      ],
      [
        'Triggers on Kafka without a dead letter sink of their own, where the one of the Broker does not count',
        { [at.broker]: broker({ annotations: { 'eventing.knative.dev/broker.class': 'Kafka' } }) },
        `lacks: On Kafka these Triggers have no dead letter sink: ${functionNames.join(', ')} -> kubectl apply -k triggers`,
      ],
      [
        'a Trigger that is not Ready',
        { [at.triggers]: list(...functionNames.map((name) => named(name, notReady('no Broker')))) },
        `lacks: Not Ready: Trigger ${functionNames.join(', ')}: no Broker -> kubectl describe trigger validate -n drover`,
      ],
    ]),
    ...cases(argocd, [
      [
        'an Argo CD that holds up stopped machines',
        { [at.argocdDeployments]: argocdImage(':v3.4.1'), [at.argocdStatefulSets]: list() },
        /^lacks: Argo CD v3.4.1 never ends the sync that stops a VirtualMachine -> kubectl -n argocd patch configmap argocd-cm .* broker\/argocd\/health.yaml/,
      ],
      [
        'an Argo CD of unknown version',
        { [at.argocdDeployments]: argocdImage('@sha256:0123'), [at.argocdStatefulSets]: list() },
        /^cannot tell: Argo CD does not say its version; before 3.5.3/,
      ],
      [
        'an override in an old Argo CD',
        {
          [at.argocdDeployments]: argocdImage(':v3.4.1'),
          [at.argocdSettings]: { data: { 'resource.customizations.health.kubevirt.io_VirtualMachine': 'return {}' } },
        },
        'ok: Argo CD v3.4.1 has a health check of ours for VirtualMachines',
      ],
      [
        'an override as it was written before',
        {
          [at.argocdDeployments]: argocdImage('@sha256:0123'),
          [at.argocdStatefulSets]: list(),
          [at.argocdSettings]: { data: { 'resource.customizations': 'kubevirt.io/VirtualMachine:\n  health.lua: x' } },
        },
        /^ok: Argo CD of unknown version has a health check of ours/,
      ],
      [
        'that it is elsewhere',
        { [at.argocdSettings]: undefined },
        /^lacks: Namespace argocd has no ConfigMap argocd-cm/,
      ],
      [
        'Applications without refresh',
        { [at.applications]: definition({ limit: {} }) },
        /^advice: Its Applications do not know syncPolicy.retry.refresh/,
      ],
      [
        'tracking by label',
        { [at.argocdSettings]: { data: { 'application.resourceTrackingMethod': 'label' } } },
        /^advice: Argo CD tracks what it applied by a label/,
      ],
      [
        'exclusions that hide machines',
        { [at.argocdSettings]: { data: { 'resource.exclusions': '- apiGroups: ["*kubevirt.io"]\n  kinds: ["*"]' } } },
        /^lacks: resource.exclusions of argocd-cm hide VirtualMachine, [^>]*VirtualMachineRestore, DataVolume, [^>]* -> take them out of it$/,
      ],
      [
        'exclusions of what Drover does not apply',
        {
          [at.argocdSettings]: {
            data: { 'resource.exclusions': '- apiGroups: [kubevirt.io]\n  kinds: [VirtualMachineInstance]' },
          },
        },
        'ok: No resource.exclusions hide what Drover has Argo CD apply',
      ],
      [
        'inclusions that leave machines out',
        {
          [at.argocdSettings]: {
            data: { 'resource.inclusions': '- apiGroups: ["", rbac.authorization.k8s.io, argoproj.io]' },
          },
        },
        /^lacks: resource.inclusions of argocd-cm leave out VirtualMachine, [^>]*DataVolume, [^>]*Job, ExternalSecret, DNSEndpoint, Placement/,
      ],
      [
        'that it has no project for machines',
        { [at.project]: undefined },
        /^lacks: Argo CD has no AppProject drover, .* -> kubectl apply -k examples\/install\/argocd/,
      ],
      [
        'that nothing is applied',
        { [at.root]: undefined },
        /^lacks: Argo CD has no Application drover-hub, so nothing/,
      ],
      [
        'that Git cannot be read',
        {
          [at.root]: named('drover-hub', { status: { conditions: [{ type: 'ComparisonError', message: 'hunter2' }] } }),
        },
        /^lacks: Application drover-hub cannot be compared with Git -> kubectl get application drover-hub -n argocd/,
      ],
      [
        'exclusions that are no YAML',
        { [at.argocdSettings]: { data: { 'resource.exclusions': '{' } } },
        /^cannot tell: resource.exclusions/,
      ],
    ]),
    ...cases(ocm, [
      [
        'that it is not installed',
        Object.fromEntries(['v1', 'v1beta1', 'v1beta2'].map((one) => [`/apis/${ocmGroup}/${one}`, undefined])),
        /^lacks: It does not serve managedclusters.*placementdecisions.* -> install Open Cluster Management/,
      ],
      ['no ManagedCluster', { [at.managedClusters]: list() }, /^lacks: It has no ManagedCluster/],
      [
        'a ManagedCluster that is not accepted',
        { [at.managedClusters]: list(managedCluster('site-a'), managedCluster('site-b', { spec: {} })) },
        'advice: ManagedCluster site-b is not accepted -> clusteradm accept --clusters site-b',
      ],
      [
        'a ManagedCluster that is away',
        { [at.managedClusters]: list(managedCluster('site-a', { status: {} })) },
        /^advice: ManagedCluster site-a is not available: its agent has not joined/,
      ],
      [
        'that no set is bound',
        { [at.bindings]: list() },
        /^lacks: No ManagedClusterSet is bound to namespace argocd.* -> echo '{"apiVersion":"cluster.open-cluster-management.io\/v1beta2","kind":"ManagedClusterSetBinding","metadata":{"name":"global","namespace":"argocd"},"spec":{"clusterSet":"global"}}' \| kubectl apply -f -$/,
      ],
      [
        'a cluster that is in no bound set',
        {
          [at.clusterSets]: list({ metadata: { name: 'default' } }, { metadata: { name: 'other' } }),
          [at.bindings]: list({ spec: { clusterSet: 'other' } }),
        },
        /^advice: ManagedClusterSet other is bound to namespace argocd, but site-a, site-b is in no such set/,
      ],
    ]),
    ...cases(clusterNames, [
      [
        'a cluster that Argo CD calls otherwise',
        { [at.argocdClusters]: list(clusterSecret('site-a'), clusterSecret('b')) },
        /^lacks: Argo CD knows no cluster by the name of ManagedCluster site-b \(it knows b\).* -> argocd cluster add CONTEXT --name site-b, or a GitOpsCluster of Advanced Cluster Management without spec.managedServiceAccountRef$/,
      ],
      [
        'two clusters of one name',
        { [at.argocdClusters]: list(...['site-a', 'site-b', 'site-b'].map((name) => clusterSecret(name))) },
        /^lacks: Argo CD has two clusters of the name site-b/,
      ],
      [
        'a cluster that Argo CD has a dummy address of',
        { [at.argocdClusters]: list(clusterSecret('site-a'), clusterSecret('site-b', 'https://site-b-control-plane')) },
        'lacks: Argo CD has a dummy for the address of site-b, https://site-b-control-plane: nothing could be applied to it -> take spec.createBlankClusterSecrets and spec.gitopsAddon out of the GitOpsCluster and delete the Secret that it made in namespace argocd, or argocd cluster add CONTEXT --name site-b in the place of both',
      ],
      [
        'clusters that are not shown',
        { [at.argocdClusters]: forbidden },
        /^cannot tell: Argo CD's cluster Secrets in namespace argocd cannot be read/,
      ],
      [
        'a hub of another name',
        {
          [at.argocdClusters]: list(clusterSecret('site-a'), clusterSecret('local', 'https://kubernetes.default.svc')),
        },
        'advice: Argo CD calls the hub local, not in-cluster -> set spec.destination.name of Application drover-hub to local',
      ],
      [
        'that Argo CD must not apply to the hub',
        { [at.argocdSettings]: { data: { 'cluster.inClusterEnabled': 'false' } } },
        /^lacks: cluster.inClusterEnabled of argocd-cm is false/,
      ],
      [
        "a cluster that Drover's kubeconfig lacks",
        { [at.clustersSecret]: { data: { kubeconfig: encoded('contexts: [{name: site-a}]') } } },
        /^lacks: Drover's kubeconfig has no context for ManagedCluster site-b/,
      ],
      [
        'a kubeconfig of ours that is none',
        { [at.clustersSecret]: { data: { kubeconfig: encoded('{') } } },
        /^lacks: Drover's kubeconfig has no context for ManagedCluster site-a/,
      ],
      [
        'clusters that this kubeconfig does not reach',
        { [at.managedClusters]: list(managedCluster('site-a'), managedCluster('site-c')) },
        /^cannot tell: This kubeconfig has no context site-c/,
      ],
      [
        'contexts that are no cluster',
        { [at.managedClusters]: list(managedCluster('site-a')) },
        /^advice: This kubeconfig's site-b is not called like a ManagedCluster/,
      ],
    ]),
    ...cases(functions, [
      [
        'that Drover is not installed',
        { [at.home]: undefined },
        /^cannot tell: Drover is not installed yet: there is no namespace drover/,
      ],
      [
        'that there are no functions',
        { [at.services]: undefined },
        'lacks: Namespace drover has no function -> kubectl apply -k examples/install/hub',
      ],
      [
        'a function that is missing',
        { [at.services]: list(...functionNames.slice(1).map((name) => service(name))) },
        'lacks: There is no function validate -> kubectl apply -k examples/install/hub',
      ],
      [
        'a function that is not Ready',
        { [at.services]: withService('commit', notReady('Unable to fetch image')) },
        'lacks: Not Ready: function commit: Unable to fetch image -> kubectl describe ksvc commit -n drover',
      ],
      [
        'functions that are not Ready for one reason',
        { [at.services]: list(...functionNames.map((name) => service(name, notReady('no image')))) },
        `lacks: Not Ready: function ${functionNames.join(', ')}: no image -> kubectl describe ksvc validate -n drover`,
      ],
      [
        'a Secret that is missing',
        { [at.keysSecret]: undefined },
        'lacks: There is no Secret drover-signing-keys of namespace drover, and no function that mounts it can start -> kubectl create secret generic drover-signing-keys -n drover --from-file=keys=FILE',
      ],
      [
        'a key that a Secret lacks',
        { [at.gitSecret]: { data: { password: encoded('hunter2') } } },
        /^lacks: Secret drover-git of namespace drover lacks token/,
      ],
      [
        'a Secret that is not shown',
        { [at.gitSecret]: forbidden },
        /^cannot tell: Secret drover-git of namespace drover cannot be read/,
      ],
      [
        'a ConfigMap that is missing',
        { [at.settings]: undefined },
        /^lacks: There is no ConfigMap drover-config of namespace drover/,
      ],
      [
        'a misspelt setting',
        { [at.settings]: { data: { DROVER_GIT_URLL: url } } },
        'lacks: Functions refuse to start: DROVER_GIT_URLL is not a setting (did you mean DROVER_GIT_URL?) -> mend it in ConfigMap drover-config',
      ],
      [
        'a setting that is wrong',
        { [at.settings]: { data: { DROVER_GIT_URL: url, DROVER_GRACE_SECONDS: 'soon' } } },
        /^lacks: Functions refuse to start: DROVER_GRACE_SECONDS is "soon", wanted a number from 0 to 590/,
      ],
      [
        'another address of the Broker',
        { [at.broker]: broker({ status: { address: { url: 'http://elsewhere/drover/default' } } }) },
        `lacks: DROVER_BROKER_URL is ${brokerUrl}, but the Broker listens at http://elsewhere/drover/default -> set it to http://elsewhere/drover/default in ConfigMap drover-config`,
      ],
    ]),
    ...cases(hubRights, [
      [
        'a right that is lacking',
        {
          [at.reviews]: (review: { spec: { resourceAttributes: { verb: string } } }) =>
            review.spec.resourceAttributes.verb !== 'patch' && isGranted(review),
        },
        'lacks: It does not let ServiceAccount drover/verify patch applications.argoproj.io in argocd -> kubectl apply -k examples/install/hub',
      ],
      [
        'a right that nobody should have',
        { [at.reviews]: () => true },
        /^advice: It lets ServiceAccount drover\/place create and update and delete applications.argoproj.io in argocd, .*get and list secrets in drover/,
      ],
      [
        'rights that are not said',
        { [at.reviews]: forbidden },
        /^cannot tell: The rights of ServiceAccount drover\/place are not said: you may not/,
      ],
    ]),
    ...cases(argocdRights, [
      [
        'that an operator lets Argo CD write no Placement',
        {
          [at.reviews]: ({ spec }: { spec: { resourceAttributes: { group: string } } }) =>
            spec.resourceAttributes.group !== ocmGroup,
        },
        /^lacks: It does not let ServiceAccount argocd\/argocd-application-controller create and patch and delete placements.cluster.open-cluster-management.io in argocd -> kubectl apply -k examples\/install\/argocd, .*RoleBinding drover-placements/,
      ],
      [
        'that it does not see who applies',
        { [at.argocdStatefulSets]: forbidden },
        /^cannot tell: Namespace argocd shows no StatefulSet application-controller/,
      ],
    ]),
  ])('%s', async (_, area, change, line) => {
    const lines = await linesOf(area, { ...hub(), ...change })
    const wanted = typeof line === 'string' ? line : expect.stringMatching(line)
    expect(lines).toContainEqual(wanted)
  })

  it('nothing of rights before Drover is there, and nothing of Brokers without Knative Eventing', async () => {
    for (const area of [hubRights, argocdRights])
      expect(await linesOf(area, { ...hub(), [at.home]: undefined })).toEqual([])
    expect(await linesOf(brokerArea, { ...hub(), '/apis/eventing.knative.dev/v1': undefined })).toEqual([])
    const lines = await linesOf(argocd, {
      ...hub(),
      [at.home]: undefined,
      [at.project]: undefined,
      [at.root]: undefined,
    })
    expect(lines.filter((line) => !line.startsWith('ok: '))).toEqual([])
  })

  it('each wrong setting once, however many functions would not start for it', async () => {
    const lines = await linesOf(functions, { ...hub(), [at.settings]: { data: { DROVER_GIT_URLL: url } } })
    expect(lines.filter((line) => line.includes('DROVER_GIT_URLL'))).toHaveLength(1)
  })

  it('no more than advice of a cluster that no Placement may choose, such as the hub of Advanced Cluster Management', async () => {
    const other = managedCluster('local-cluster', { metadata: { name: 'local-cluster' } })
    const change = {
      [at.managedClusters]: list(managedCluster('site-a'), managedCluster('site-b'), other),
      [at.clusterSets]: list({ metadata: { name: 'default' } }, { metadata: { name: 'hub' } }),
      [at.bindings]: list({ spec: { clusterSet: 'default' } }),
    }
    const lines = await linesOf(clusterNames, { ...hub(), ...change })
    expect(lines.filter((line) => !line.startsWith('ok: '))).toEqual([
      "advice: ManagedCluster local-cluster is in no bound set, and Argo CD and Drover's kubeconfig does not have it -> nothing, unless machines are to be on it, or are",
      expect.stringMatching(/^cannot tell: This kubeconfig has no context local-cluster/),
    ])
  })

  it('that a Kafka Broker needs neither channels nor the annotation', async () => {
    const annotations = {
      'eventing.knative.dev/broker.class': 'Kafka',
      'messaging.knative.dev/async-handler': undefined,
    }
    const change = {
      [at.kafkaIngress]: named('x'),
      [at.channel]: undefined,
      [at.broker]: broker({ annotations }),
      [at.eventingDeployments]: versioned('1.16.3'),
      [at.triggers]: list(
        ...functionNames.map((name) => named(name, { ...ready, spec: { delivery: { deadLetterSink: {} } } })),
      ),
    }
    const lines = await linesOf(brokerArea, { ...hub(), ...change })
    expect(lines.filter((line) => !line.startsWith('ok: '))).toEqual([])
  })
})
