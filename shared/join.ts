import { bytes } from './quantity.ts'
import type { Machine } from './schema/machine.ts'
import type { ProvisionRequest } from './schema/provision-request.ts'
import { listed, show } from './schema/show.ts'
import { overridable, type Template } from './schema/template.ts'
import { twice } from './twice.ts'

/** Label prefixes that the platform and Drover write themselves. */
const ownPrefixes = ['drover.dev', 'kubernetes.io', 'k8s.io', 'kubevirt.io', 'argoproj.io', 'openshift.io']

/**
 * A template and a request joined. Maps are merged, the request's values first; a size or root disk keeps what the
 * request leaves out of it; lists and the placement are replaced as a whole, so a request can always say all of it.
 */
export function toMachine(
  template: Template,
  request: ProvisionRequest,
): { machine: Machine; labels: Record<string, string> } {
  const preference = template.size.preference
  const machine: Machine = {
    template: request.template,
    guest: template.guest,
    guestAgent: template.guestAgent,
    image: template.image,
    size: request.size ? { ...(preference !== undefined && { preference }), ...request.size } : template.size,
    rootDisk: { ...template.rootDisk, ...request.rootDisk },
    disks: request.disks ?? template.disks ?? [],
    networks: request.networks ?? template.networks,
    customizations: request.customizations ?? template.customizations ?? [],
    variables: { ...template.variables, ...request.variables },
    placement: request.placement ?? template.placement,
  }
  return { machine, labels: labelsOf(template, request) }
}

function labelsOf(template: Template, request: ProvisionRequest): Record<string, string> {
  const { environment, application, ticket } = request
  return {
    ...(environment !== undefined && { environment }),
    ...(application !== undefined && { application }),
    ...template.labels,
    ...request.labels,
    ...(ticket !== undefined && { 'drover.dev/ticket': ticket }),
  }
}

/** What a request may not say about the machine: fields that its template keeps, and what cannot be made of them. */
export function joinProblems(template: Template, request: ProvisionRequest): string[] {
  const { machine, labels } = toMachine(template, request)
  return [
    ...overrideProblems(template, request),
    ...rootDiskProblems(template, request),
    ...twice(machine.disks.map(({ name }) => name)).map(
      (name) => `disks has ${show(name)} twice, wanted each name once`,
    ),
    ...twice(machine.customizations).map((name) => `customizations has ${show(name)} twice, wanted each one once`),
    ...Object.keys(request.labels ?? {}).flatMap(ownLabel),
    ...(Object.keys(labels).length > 32 ? [`labels are ${Object.keys(labels).length} in all, wanted at most 32`] : []),
  ]
}

function overrideProblems({ overrides }: Template, request: ProvisionRequest): string[] {
  return overridable
    .filter((field) => request[field] !== undefined && !overrides.includes(field))
    .map((field) => {
      const may = overrides.length > 0 ? `wanted only ${listed(overrides)}` : 'wanted none'
      return `${field} may not be overridden for template ${show(request.template)}: ${may}`
    })
}

/** The golden image has to fit. */
function rootDiskProblems(template: Template, { rootDisk }: ProvisionRequest): string[] {
  if (!rootDisk || bytes(rootDisk.size) >= bytes(template.rootDisk.size)) return []
  return [
    `rootDisk.size is ${show(rootDisk.size)}, wanted at least ${show(template.rootDisk.size)}, as its template has`,
  ]
}

function ownLabel(key: string): string[] {
  const prefix = key.includes('/') ? key.slice(0, key.indexOf('/')) : ''
  const own = ownPrefixes.some((one) => prefix === one || prefix.endsWith(`.${one}`))
  return own ? [`labels has the key ${show(key)}, wanted another prefix: the platform writes this one itself`] : []
}
