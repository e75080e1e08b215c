import { externalSecret } from '../kubevirt/external-secret.ts'
import { kept, type Manifest, managedBy, operationAnnotation, replacing } from '../kubevirt/manifest.ts'
import { canonical } from '../quantity.ts'
import type { Build, GoldenImage, MadeSecret, Work } from '../schema/golden-image.ts'
import { customizeJob } from './customize-job.ts'
import { customizeName, followerName, imageLabel, pushName } from './names.ts'
import { digestOf } from './oci-image.ts'
import { pushJob } from './push-job.ts'

/** The objects that a golden image stands for on its cluster: the same definition always gives the same ones. */
export function renderImage(image: GoldenImage): Manifest[] {
  const { work, current, older, secrets } = image
  const builds = [...(current ? [current] : []), ...older]
  const isNew = work && !builds.some(({ name }) => name === work.build.name)
  return [
    ...[...builds, ...(isNew ? [work.build] : [])].map((build) => volumeOf(image, build)),
    ...secrets.flatMap((secret) => secretOf(image, secret) ?? []),
    ...(work ? jobsOf(image, work) : []),
    ...(current ? publication(image, current) : []),
  ]
}

const metadataOf = ({ name: image, namespace }: GoldenImage, name: string) => ({
  name,
  namespace,
  labels: { ...managedBy, [imageLabel]: image },
})

/** KubeVirt gives these to machines that are made from the disk and say nothing of their own. */
const defaultsOf = ({ instancetype, preference }: Build) => ({
  ...(instancetype && { 'instancetype.kubevirt.io/default-instancetype': instancetype }),
  ...(preference && { 'instancetype.kubevirt.io/default-preference': preference }),
})

/**
 * The latest disk is protected like a data disk, for machines are cloned from it and it cannot be made again: what its
 * source gives may be another one by now, and what was done to it is gone. Drover takes the protection off itself, when
 * the next disk has taken its place, so that Argo CD can remove it once it has left Git.
 */
function volumeOf(image: GoldenImage, build: Build): Manifest {
  const { labels, ...metadata } = metadataOf(image, build.name)
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: {
      ...metadata,
      labels: { ...labels, ...defaultsOf(build) },
      annotations: {
        'cdi.kubevirt.io/storage.deleteAfterCompletion': 'false',
        // There is no machine to wait for.
        'cdi.kubevirt.io/storage.bind.immediate.requested': 'true',
        ...(build.kept ? kept : {}),
      },
    },
    spec: {
      ...sourceOf(build),
      storage: {
        resources: { requests: { storage: canonical(build.size) } },
        ...(build.storageClass && { storageClassName: build.storageClass }),
      },
    },
  }
}

function sourceOf({ source }: Build): object {
  if ('dataSource' in source)
    return { sourceRef: { kind: 'DataSource', namespace: source.namespace, name: source.dataSource } }
  if ('registry' in source)
    return { source: { registry: { url: source.registry, ...(source.secret && { secretRef: source.secret }) } } }
  const { url, checksum, certConfigMap, secretHeaders } = source
  return {
    source: {
      http: {
        url,
        ...(checksum && { checksum }),
        ...(certConfigMap && { certConfigMap }),
        ...(secretHeaders && { secretExtraHeaders: [secretHeaders] }),
      },
    },
  }
}

/** Only where a value is to be found; the Secret goes with it. */
function secretOf(image: GoldenImage, { name, store, storeKind, data }: MadeSecret): Manifest | undefined {
  const from = { store, ...(storeKind && { storeKind }) }
  const references = Object.entries(data).map(([key, one]) => [key, { ...from, ...one }] as const)
  return externalSecret({ metadata: metadataOf(image, name), data: references })
}

function jobsOf(image: GoldenImage, { build, customize, push, volumeMode = 'Filesystem', deadlineSeconds }: Work) {
  const { namespace, labels } = metadataOf(image, build.name)
  const common = { namespace, labels, claim: build.name, volumeMode, deadlineSeconds }
  return [
    ...(customize ? customizeJob({ ...common, ...customize, podLabels: labels, name: customizeName(build) }) : []),
    ...(push ? [pushJob({ ...common, ...push, ...markOf(image, build), name: pushName(build) })] : []),
  ]
}

/** A query may hold what is meant for one reader. */
const wordOf = (source: Build['source']) =>
  'url' in source ? source.url.replace(/[?#].*$/, '') : 'registry' in source ? source.registry : source.dataSource

/** What the pushed image says of itself. */
const markOf = ({ name }: GoldenImage, { run, since, source, version, instancetype, preference }: Build) => ({
  created: since,
  provenance: {
    'org.opencontainers.image.title': name,
    'dev.drover.run': run,
    'dev.drover.source': version ?? wordOf(source),
  },
  ...(instancetype && { instancetype }),
  ...(preference && { preference }),
})

/**
 * What machines name. The DataSource is pinned to one disk, so that Git says which. Whoever follows the tag gets a DataSource
 * beside it: that one CDI writes, and an object that two write never rests.
 */
function publication(image: GoldenImage, current: Build): Manifest[] {
  const { dataSource, namespace, operation, follow } = image
  const { labels, ...metadata } = metadataOf(image, dataSource)
  const pinned = {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataSource',
    metadata: {
      ...metadata,
      labels: { ...labels, ...defaultsOf(current) },
      annotations: { [operationAnnotation]: operation },
    },
    spec: { source: { pvc: { namespace, name: current.name } } },
  }
  return follow ? [pinned, follower(image, current, follow)] : [pinned]
}

/**
 * CDI lets nobody change its spec, such as how large the next disk is: it is made anew. What it has imported stays.
 * https://github.com/kubevirt/containerized-data-importer/blob/v1.65.0/pkg/apiserver/webhooks/dataimportcron-validate.go
 */
function follower(
  image: GoldenImage,
  { size, storageClass }: Build,
  { schedule, repository, tag, secret, certConfigMap }: NonNullable<GoldenImage['follow']>,
): Manifest {
  const name = followerName(image.dataSource)
  const spec = {
    schedule,
    managedDataSource: name,
    garbageCollect: 'Outdated',
    importsToKeep: Math.max(1, image.keep),
    template: {
      spec: {
        source: {
          registry: {
            url: `docker://${repository}:${tag}`,
            ...(secret && { secretRef: secret }),
            ...(certConfigMap && { certConfigMap }),
          },
        },
        storage: {
          resources: { requests: { storage: canonical(size) } },
          ...(storageClass && { storageClassName: storageClass }),
        },
      },
    },
  }
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataImportCron',
    // What is put in its place by `kubectl replace` belongs to nobody: Argo CD sees no field that has left it, only another digest.
    metadata: {
      ...metadataOf(image, name),
      annotations: { ...replacing, 'drover.dev/spec': digestOf(JSON.stringify(spec)) },
    },
    spec,
  }
}
