import { createHash } from 'node:crypto'
import { restoreFields } from '../kubevirt.ts'
import type { Store } from '../store.ts'

/** Whose kinds are described: no client of the clusters reads the others'. */
const described = { group: 'snapshot.kubevirt.io', version: 'v1beta1', kind: 'VirtualMachineRestore' } as const
const path = `apis/${described.group}/${described.version}`

/** Answers the paths of OpenAPI v3, as a CustomResourceDefinition's are, or undefined for other paths. */
export function describe(pathname: string, { kinds }: Store, kubevirt: string): unknown {
  const isThere = kinds.some(({ kind }) => kind === described.kind)
  const document = { openapi: '3.0.0', info, paths: {}, components: { schemas: schemasOf(kubevirt) } }
  const hash = createHash('sha512').update(JSON.stringify(document)).digest('hex').toUpperCase()
  if (pathname === '/openapi/v3')
    return { paths: isThere ? { [path]: { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` } } : {} }
  return isThere && pathname === `/openapi/v3/${path}` ? document : undefined
}

const info = { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' }
const text = { type: 'string' }
const meta = (name: string) => ({
  allOf: [{ $ref: `#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.${name}` }],
})

function schemasOf(kubevirt: string) {
  const name = `io.kubevirt.snapshot.${described.version}.${described.kind}`
  const kindOf = (kind: string) => ({ 'x-kubernetes-group-version-kind': [{ ...described, kind }] })
  const spec = {
    description: 'VirtualMachineRestoreSpec is the spec for a VirtualMachineRestore resource',
    properties: restoreFields(kubevirt),
    required: ['target', 'virtualMachineSnapshotName'],
    type: 'object',
  }
  const items = { items: { allOf: [{ $ref: `#/components/schemas/${name}` }], default: {} }, type: 'array' }
  return {
    [name]: {
      description: 'VirtualMachineRestore defines the operation of restoring a VM',
      required: ['spec'],
      type: 'object',
      properties: { apiVersion: text, kind: text, metadata: meta('ObjectMeta_v2'), spec, status: { type: 'object' } },
      ...kindOf(described.kind),
    },
    [`${name}List`]: {
      description: 'VirtualMachineRestoreList is a list of VirtualMachineRestore',
      required: ['items'],
      type: 'object',
      properties: { apiVersion: text, kind: text, metadata: meta('ListMeta'), items },
      ...kindOf(`${described.kind}List`),
    },
  }
}
