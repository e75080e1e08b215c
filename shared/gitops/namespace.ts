import { kept, type Manifest, managedBy } from '../kubevirt/manifest.ts'

/** The Namespace that machines share. It is never removed: data disks of machines that are gone may live in it. */
export function namespaceManifest(namespace: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { ...managedBy }, annotations: { ...kept } },
  }
}
