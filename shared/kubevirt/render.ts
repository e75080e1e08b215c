import type { Definition } from '../schema/definition.ts'
import { access } from './access.ts'
import { disks } from './disks.ts'
import { guestSecrets } from './guest-secrets.ts'
import { type Manifest, metadataOf } from './manifest.ts'
import { operations } from './operations.ts'
import { virtualMachine } from './virtual-machine.ts'

/** The objects that a definition stands for on its cluster: the same definition always gives the same ones. */
export function render(definition: Definition): Manifest[] {
  return [
    ...access(definition),
    ...disks(definition),
    ...guestSecrets(definition),
    virtualMachine(definition),
    ...operations(definition),
    ...names(definition),
  ]
}

/** The machine's names, forward and reverse, for ExternalDNS. */
function names(definition: Definition): Manifest[] {
  const endpoints = definition.dns.map(({ dnsName, recordType, recordTTL, targets }) => ({
    dnsName,
    recordType,
    recordTTL,
    targets,
  }))
  if (endpoints.length === 0) return []
  const metadata = metadataOf(definition, definition.name)
  return [{ apiVersion: 'externaldns.k8s.io/v1alpha1', kind: 'DNSEndpoint', metadata, spec: { endpoints } }]
}
