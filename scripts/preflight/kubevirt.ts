import { type Restoring, restoringBy, snapshotApi } from '../../shared/kubevirt/restoring.ts'
import { type Answer, map } from './answer.ts'
import type { Area, List, Named } from './area.ts'
import type { Asker } from './ask.ts'
import { advice, cannotTell, type Finding, judge, lacks, ok } from './finding.ts'
import { checkServed, isInstalled, readServed, type Served } from './served.ts'
import { isAtLeast } from './version.ts'

/** What runs machines on a managed cluster. */

export interface KubevirtFacts {
  served: Served[]
  kubevirt: Answer<{ version: string; gates: string[] }>
  cdi: Answer<string>
  /** How disks are put back; undefined where it has no restores. */
  restoring: Answer<Restoring | undefined>
}

export const kubevirt: Area<KubevirtFacts> = { title: 'KubeVirt and CDI', read, check }

const oldest = '1.4'
const optional = [
  {
    group: 'instancetype.kubevirt.io',
    version: 'v1beta1',
    plural: 'virtualmachineclusterinstancetypes',
    optional: {
      without: 'requests and templates have to say CPU and memory themselves',
      todo: 'install the common instance types of KubeVirt',
    },
  },
  {
    group: 'external-secrets.io',
    version: 'v1',
    plural: 'externalsecrets',
    optional: {
      without: 'a machine can only take Secrets that are there already',
      todo: 'install the External Secrets operator, in a version that serves it',
    },
  },
  {
    group: 'externaldns.k8s.io',
    version: 'v1alpha1',
    plural: 'dnsendpoints',
    optional: {
      without: 'networks of the fleet repository must not ask for DNS names',
      todo: 'install ExternalDNS with its source crd',
    },
  },
]
const kinds = [
  { group: 'kubevirt.io', version: 'v1', plural: 'virtualmachines' },
  { group: 'kubevirt.io', version: 'v1', plural: 'virtualmachineinstances' },
  { group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'datavolumes' },
  { group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'datasources' },
  { group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'dataimportcrons' },
  ...optional,
]

interface KubeVirt extends Named {
  spec?: { configuration?: { developerConfiguration?: { featureGates?: string[] } } }
  status?: { observedKubeVirtVersion?: string }
}

async function read(ask: Asker): Promise<KubevirtFacts> {
  const [served, kubevirts, cdis, schemas] = await Promise.all([
    readServed(ask, kinds),
    ask.get<List<KubeVirt>>('/apis/kubevirt.io/v1/kubevirts'),
    ask.get<List<{ status?: { observedVersion?: string } }>>('/apis/cdi.kubevirt.io/v1beta1/cdis'),
    ask.get(`/openapi/v3/apis/${snapshotApi}`),
  ])
  return {
    served,
    kubevirt: map(kubevirts, ({ items: [one] }) => ({
      version: one?.status?.observedKubeVirtVersion ?? '',
      gates: one?.spec?.configuration?.developerConfiguration?.featureGates ?? [],
    })),
    cdi: map(cdis, ({ items: [one] }) => one?.status?.observedVersion ?? ''),
    restoring: map(schemas, restoringBy),
  }
}

function check({ served, kubevirt, cdi, restoring }: KubevirtFacts): Finding[] {
  const there = checkServed(
    served,
    'install KubeVirt and CDI (https://kubevirt.io/user-guide/), or OpenShift Virtualization',
  )
  const silent = (name: string) => cannotTell(`${name} does not say its version`, `see that it is there`)
  if (!isInstalled(served)) return there
  return [
    ...there,
    ...judge(kubevirt, 'The KubeVirt object', silent('KubeVirt'), ({ version, gates }) => checkVersion(version, gates)),
    ...judge(cdi, 'The CDI object', silent('CDI'), (version) =>
      version === '' ? silent('CDI') : ok(`CDI is ${version}`),
    ),
    ...judge(restoring, 'What it offers to restore snapshots', noRestores, (way) => (way ? ways[way] : noRestores)),
  ]
}

const noRestores = advice(
  `It serves no VirtualMachineRestore of ${snapshotApi}, without which nothing is restored or patched`,
  'upgrade KubeVirt to 1.4 or newer (OpenShift Virtualization 4.18 or newer)',
)

/** What restores and failed patches come to. */
const ways: Record<Restoring, Finding> = {
  'in place': ok('It restores snapshots in place, and leaves the disks to whom they belong'),
  'new disks': advice(
    'It restores no snapshot in place without taking the disks: restores make new disks, and the data disks from before are kept beside them',
    'upgrade KubeVirt to 1.7 or newer (OpenShift Virtualization 4.21 or newer), or see docs/lifecycles/restore.md for what becomes of the disks',
  ),
}

function checkVersion(version: string, gates: string[]): Finding[] {
  const isEnough = isAtLeast(version, oldest)
  if (isEnough === undefined)
    return [
      cannotTell(
        'KubeVirt does not say its version',
        `see that it is ${oldest} or newer (OpenShift Virtualization 4.18)`,
      ),
    ]
  if (!isEnough)
    return [
      lacks(`KubeVirt is ${version}`, `upgrade it to ${oldest} or newer (OpenShift Virtualization 4.18 or newer)`),
    ]
  const hints = [
    ...(isAtLeast(version, '1.9') || gates.includes('Snapshot')
      ? []
      : [
          advice(
            'KubeVirt has feature gate Snapshot off, which snapshots, and all that take one to go back to, need',
            'add Snapshot to spec.configuration.developerConfiguration.featureGates of the KubeVirt object; OpenShift Virtualization does it itself',
          ),
        ]),
  ]
  return [ok(`KubeVirt is ${version}`), ...hints]
}
