import { imageApplicationName, imageLabel } from '../images/names.ts'
import { type Manifest, machineLabel, managedBy } from '../kubevirt/manifest.ts'
import type { MachineAddress } from '../machines.ts'
import { imageManifestsFolder, manifestsFolder, namespaceFolder } from '../paths.ts'

/** Where Argo CD finds the fleet repository, and where its own objects live. */
export interface GitOpsSettings {
  /** The repository's address as Argo CD sees it. */
  repoUrl: string
  branch: string
  /** Argo CD's namespace. */
  namespace: string
  project: string
  /** The Application that applies `hub/` to the hub itself; no machine may have its name. */
  rootApplication: string
}

/** The Application that applies one machine's manifests to its cluster. Its deletion deletes them, but for data disks. */
export function machineApplication({ cluster, namespace, name }: MachineAddress, settings: GitOpsSettings): Manifest {
  const labels = { [machineLabel]: name }
  const target = { name, labels, path: manifestsFolder(cluster, namespace, name), cluster, namespace }
  return application({ ...target, ignoreDifferences: [namedRevisions, filledIn] }, settings)
}

/**
 * The Application of what a namespace's machines share. A machine's name has no dot in it, so the two kinds of
 * Application cannot take each other's names.
 */
export function namespaceApplication(cluster: string, namespace: string, settings: GitOpsSettings): Manifest {
  const name = `${cluster}.${namespace}`
  return application({ name, labels: {}, path: namespaceFolder(cluster, namespace), cluster, namespace }, settings)
}

/** The Application that applies a golden image's manifests to its cluster. Its deletion deletes them, but for the latest disk. */
export function imageApplication({ cluster, namespace, name }: MachineAddress, settings: GitOpsSettings): Manifest {
  const labels = { [imageLabel]: name }
  const target = { name: imageApplicationName(name), labels, path: imageManifestsFolder(name), cluster, namespace }
  return application({ ...target, ignoreDifferences: [filledIn] }, settings)
}

interface Target {
  name: string
  labels: Record<string, string>
  path: string
  cluster: string
  namespace: string
  ignoreDifferences?: object[]
}

/** A restore makes KubeVirt name revisions: they are taken away when the machine is applied next, not at once. */
const namedRevisions = {
  group: 'kubevirt.io',
  kind: 'VirtualMachine',
  jsonPointers: ['/spec/instancetype/revisionName', '/spec/preference/revisionName'],
}

/**
 * What the API fills in, in a list that Argo CD compares as a whole. Which fields those are differs from version to version, and
 * an older one knows not all of them, so Git cannot say them. https://github.com/external-secrets/external-secrets/issues/6398
 */
const filledIn = {
  group: 'external-secrets.io',
  kind: 'ExternalSecret',
  jqPathExpressions: ['conversionStrategy', 'decodingStrategy', 'metadataPolicy', 'nullBytePolicy'].map(
    (field) => `.spec.data[]?.remoteRef.${field}`,
  ),
}

function application(
  { name, labels, path, cluster, namespace, ignoreDifferences }: Target,
  settings: GitOpsSettings,
): Manifest {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name,
      namespace: settings.namespace,
      labels: { ...managedBy, 'drover.dev/cluster': toLabelValue(cluster), ...labels },
      finalizers: ['resources-finalizer.argocd.argoproj.io'],
    },
    spec: {
      project: settings.project,
      source: { repoURL: settings.repoUrl, targetRevision: settings.branch, path },
      destination: { name: cluster, namespace },
      ...(ignoreDifferences && { ignoreDifferences }),
      syncPolicy: {
        automated: { prune: true, selfHeal: true, allowEmpty: true },
        // Server-side apply leaves alone what KubeVirt and CDI own, and has no last-applied annotation to outgrow.
        // What is as Git has it is left alone: a restore that is to be replaced would be run anew by every sync.
        syncOptions: ['CreateNamespace=true', 'ServerSideApply=true', 'ApplyOutOfSyncOnly=true'],
        retry: {
          limit: 10,
          backoff: { duration: '5s', factor: 2, maxDuration: '1m' },
          // Without it a mended manifest waits until the retries of the broken one are over.
          refresh: true,
        },
      },
    },
  }
}

/** A cluster's name may be longer than a label's value. */
const toLabelValue = (text: string) => text.slice(0, 63).replace(/[^a-z0-9]+$/, '')
