import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { kinds } from '../../local/clusters/kinds.ts'
import type { KubeObject, NewObject } from '../../local/clusters/object.ts'
import { parseYaml } from '../../shared/yaml.ts'

/** The API server as its administrator sees it: for what tests prepare, break and look at. */
export interface Api {
  /** One request; undefined for 404. What is refused throws the server's own sentence. */
  call(method: string, path: string, options?: CallOptions): Promise<unknown>
  get(kind: string, namespace: string, name: string): Promise<KubeObject | undefined>
  list(kind: string, namespace?: string): Promise<KubeObject[]>
  /** Server-side apply. */
  apply(object: NewObject): Promise<KubeObject>
  merge(kind: string, namespace: string, name: string, change: object, options?: MergeOptions): Promise<void>
  remove(kind: string, namespace: string, name: string): Promise<void>
  close(): void
}

interface CallOptions {
  body?: object
  type?: string
  /** A component of KubeVirt, whose admission takes a guest's status from nobody else. */
  as?: 'handler'
}

interface MergeOptions {
  subresource?: string
  as?: 'handler'
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority': string } }[]
  users: { user: { token: string } }[]
}

export function openApi(kubeconfig: string): Api {
  const { clusters, users } = parseYaml(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
  const [{ cluster } = { cluster: { server: '', 'certificate-authority': '' } }] = clusters
  const server = new URL(cluster.server)
  const agent = new Agent({ keepAlive: true, ca: readFileSync(cluster['certificate-authority']) })

  const call: Api['call'] = async (method, path, { body, type = 'application/json', as } = {}) => {
    const headers = {
      authorization: `Bearer ${users[0]?.user.token}`,
      accept: 'application/json',
      ...(as && {
        'impersonate-user': `system:serviceaccount:kubevirt:kubevirt-${as}`,
        'impersonate-group': 'system:masters',
      }),
      ...(body && { 'content-type': type }),
    }
    const once = () =>
      new Promise<{ status: number; answer: string }>((done, fail) => {
        const sent = request(new URL(path, server), { agent, method, headers }, (response) => {
          text(response).then((answer) => done({ status: response.statusCode ?? 0, answer }), fail)
        })
        sent.once('error', fail)
        sent.end(body && JSON.stringify(body))
      })
    let { status, answer } = await once()
    // Under load the server now and then loses track of a connection that is kept: its answer is no Status object then.
    if (status === 400 && !answer.startsWith('{')) ({ status, answer } = await once())
    if (status === 404) return undefined
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${answer.slice(0, 500)}`)
    return JSON.parse(answer)
  }

  return {
    call,
    get: async (kind, namespace, name) => (await call('GET', pathOf(kind, namespace, name))) as KubeObject | undefined,
    list: async (kind, namespace) => {
      const found = (await call('GET', pathOf(kind, namespace))) as
        | { apiVersion: string; items: KubeObject[] }
        | undefined
      // In a list of its own kinds the server leaves out what they are.
      return (found?.items ?? []).map((object) => ({ ...object, apiVersion: found?.apiVersion ?? '', kind }))
    },
    apply: async (object) => {
      const path = pathOf(object.kind, object.metadata.namespace, object.metadata.name)
      const query = '?fieldManager=test&force=true'
      return (await call('PATCH', path + query, { body: object, type: 'application/apply-patch+yaml' })) as KubeObject
    },
    merge: async (kind, namespace, name, change, { subresource, as } = {}) => {
      const path = pathOf(kind, namespace, name) + (subresource ? `/${subresource}` : '')
      await call('PATCH', path, { body: change, type: 'application/merge-patch+json', ...(as && { as }) })
    },
    remove: async (kind, namespace, name) => void (await call('DELETE', pathOf(kind, namespace, name))),
    close: () => agent.destroy(),
  }
}

/** More kinds than the stand-in knows. */
const others: Record<string, [groupVersion: string, plural: string]> = {
  EventPolicy: ['eventing.knative.dev/v1alpha1', 'eventpolicies'],
  Broker: ['eventing.knative.dev/v1', 'brokers'],
  Trigger: ['eventing.knative.dev/v1', 'triggers'],
  RequestReply: ['eventing.knative.dev/v1alpha1', 'requestreplies'],
  Deployment: ['apps/v1', 'deployments'],
  Service: ['serving.knative.dev/v1', 'services'],
  Route: ['serving.knative.dev/v1', 'routes'],
  NetworkAttachmentDefinition: ['k8s.cni.cncf.io/v1', 'network-attachment-definitions'],
}
const clusterScoped: Record<string, [groupVersion: string, plural: string]> = {
  CustomResourceDefinition: ['apiextensions.k8s.io/v1', 'customresourcedefinitions'],
  StorageProfile: ['cdi.kubevirt.io/v1beta1', 'storageprofiles'],
}

function pathOf(kind: string, namespace?: string, name?: string): string {
  const known = kinds.find((one) => one.kind === kind)
  const [groupVersion, plural] = known
    ? [known.group === '' ? known.version : `${known.group}/${known.version}`, known.plural]
    : (others[kind] ?? clusterScoped[kind] ?? ['', ''])
  if (plural === '') throw new Error(`Cannot address a ${kind}: its plural is not known here`)
  const root = groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`
  const isNamespaced = known?.namespaced ?? kind in others
  return [root, ...(isNamespaced && namespace ? ['namespaces', namespace] : []), plural, ...(name ? [name] : [])].join(
    '/',
  )
}
