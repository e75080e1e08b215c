import { describe, expect, it } from 'vitest'
import type { Area } from '../../../scripts/preflight/area.ts'
import { kubevirt } from '../../../scripts/preflight/kubevirt.ts'
import { networks } from '../../../scripts/preflight/networks.ts'
import { readerRights } from '../../../scripts/preflight/rights.ts'
import { storage } from '../../../scripts/preflight/storage.ts'
import { at, type Cluster, forbidden, isGranted, linesOf, list, managed, named, restoresOf, served } from './cluster.ts'

const areas = [kubevirt, networks, storage, readerRights].map((area) => area as Area<never>)

describe('a managed cluster that lacks nothing', () => {
  it('is said to be all right', async () => {
    const lines = (await Promise.all(areas.map((area) => linesOf(area, managed())))).flat()
    expect(lines.length).toBeGreaterThan(areas.length)
    expect(lines.filter((line) => !line.startsWith('ok: '))).toEqual([])
  })
})

const reviewed = (review: object) => (review as { spec: { resourceAttributes: { resource: string } } }).spec
type Case = [what: string, area: Area<never>, change: Cluster, line: string | RegExp]
const cases = (area: unknown, rows: [string, Cluster, string | RegExp][]): Case[] =>
  rows.map(([what, change, line]) => [what, area as Area<never>, change, line])
const version = (text: string, featureGates: string[] = []) => ({
  [at.kubevirt]: list({
    spec: { configuration: { developerConfiguration: { featureGates } } },
    status: { observedKubeVirtVersion: text },
  }),
})

describe('preflight says of a managed cluster', () => {
  it.each([
    ...cases(kubevirt, [
      [
        'that it runs no machines',
        { '/apis/kubevirt.io/v1': undefined },
        /^lacks: It does not serve virtualmachines.kubevirt.io\/v1 \(but|^lacks: It does not serve virtualmachines.kubevirt.io\/v1/,
      ],
      [
        'what it can do without',
        {
          '/apis/external-secrets.io/v1': undefined,
          '/apis/external-secrets.io': { versions: [{ version: 'v1beta1' }] },
        },
        /^advice: It does not serve externalsecrets.external-secrets.io\/v1 \(but v1beta1\): a machine can only take Secrets/,
      ],
      ['no DNS', served('externaldns.k8s.io', 'v1alpha1'), /^advice: It does not serve dnsendpoints/],
      ['an old KubeVirt', version('v1.3.1'), /^lacks: KubeVirt is v1.3.1 -> upgrade it to 1.4 or newer/],
      ['that it restores in place', {}, 'ok: It restores snapshots in place, and leaves the disks to whom they belong'],
      [
        'that it restores otherwise',
        { [at.restores]: restoresOf('volumeRestorePolicy') },
        /^advice: It restores no snapshot in place without taking the disks: .* -> upgrade KubeVirt to 1.7 or newer/,
      ],
      ['that it restores nothing', { [at.restores]: undefined }, /^advice: It serves no VirtualMachineRestore of/],
      ['that it has no restores', { [at.restores]: {} }, /^advice: It serves no VirtualMachineRestore of/],
      [
        'that it does not say what it restores',
        { [at.restores]: forbidden },
        /^cannot tell: What it offers to restore snapshots cannot be read: you may not/,
      ],
      ['a KubeVirt without snapshots', version('v1.8.0'), /^advice: KubeVirt has feature gate Snapshot off/],
      ['a KubeVirt of unknown version', { [at.kubevirt]: list() }, /^cannot tell: KubeVirt does not say its version/],
      [
        'a KubeVirt that is not shown',
        { [at.kubevirt]: forbidden },
        /^cannot tell: The KubeVirt object cannot be read: you may not/,
      ],
      ['a CDI of unknown version', { [at.cdi]: list() }, /^cannot tell: CDI does not say its version/],
    ]),
    ...cases(networks, [
      [
        'that nothing attaches interfaces',
        { '/apis/k8s.cni.cncf.io/v1': undefined },
        /^lacks: It does not serve network-attachment-definitions.k8s.cni.cncf.io\/v1.* -> install Multus/,
      ],
    ]),
    ...cases(storage, [
      ['no StorageClass', { [at.storageClasses]: list() }, /^lacks: It has no StorageClass/],
      [
        'no default StorageClass',
        { [at.storageClasses]: list(named('slow')) },
        /^lacks: No StorageClass is the default.* -> kubectl annotate storageclass slow storageclass.kubernetes.io\/is-default-class=true/,
      ],
      [
        'a default for machines alone',
        {
          [at.storageClasses]: list({
            metadata: { name: 'virt', annotations: { 'storageclass.kubevirt.io/is-default-virt-class': 'true' } },
          }),
        },
        'ok: StorageClass virt is the default',
      ],
      ['no VolumeSnapshotClass', { [at.snapshotClasses]: undefined }, /^advice: It has no VolumeSnapshotClass/],
    ]),
    ...cases(readerRights, [
      [
        'that the reader is not there',
        { [at.readerHome]: undefined },
        /^cannot tell: There is no namespace drover-reader yet -> kubectl apply -k broker\/managed-cluster/,
      ],
      [
        'what the reader may not',
        {
          [at.reviews]: (review: object) =>
            reviewed(review).resourceAttributes.resource !== 'datavolumes' && isGranted(review),
        },
        'lacks: It does not let ServiceAccount drover-reader/drover-reader list and watch datavolumes.cdi.kubevirt.io -> kubectl apply -k broker/managed-cluster',
      ],
      [
        'what the reader should not',
        { [at.reviews]: () => true },
        /^advice: It lets ServiceAccount drover-reader\/drover-reader create and update and patch and delete virtualmachines.kubevirt.io, .*get and list secrets/,
      ],
      [
        "this kubeconfig's own rights where it may not ask for others'",
        { [at.reviews]: forbidden, [at.ownReviews]: () => true },
        /^advice: It lets this kubeconfig's user create and update/,
      ],
      [
        'that nothing is said',
        { [at.reviews]: forbidden, [at.ownReviews]: forbidden },
        /^cannot tell: The rights of this kubeconfig's user are not said/,
      ],
    ]),
  ])('%s', async (_, area, change, line) => {
    const lines = await linesOf(area, { ...managed(), ...change })
    expect(lines).toContainEqual(typeof line === 'string' ? line : expect.stringMatching(line))
  })
})
