import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { parseYaml } from '../../shared/yaml.ts'
import type { Api } from './api.ts'
import type { ControlPlane } from './control-plane.ts'

/**
 * One kubeconfig for each function: on the hub it is its own ServiceAccount, on managed clusters it is the reader. So what
 * it may do is what the installed roles say.
 */
export async function writeKubeconfigs(
  api: Api,
  plane: ControlPlane,
  directory: string,
): Promise<Record<FunctionName, string>> {
  const { clusters } = parseYaml(readFileSync(plane.kubeconfig, 'utf8')) as { clusters: { cluster: object }[] }
  const cluster = clusters[0]?.cluster
  const reader = await tokenOf(api, 'drover-reader', 'drover-reader')
  const paths = {} as Record<FunctionName, string>
  for (const name of functionNames) {
    const users = { hub: await tokenOf(api, name), 'site-a': reader, 'site-b': reader }
    const contexts = Object.keys(users)
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'hub',
      clusters: contexts.map((one) => ({ name: one, cluster })),
      users: Object.entries(users).map(([one, token]) => ({ name: one, user: { token } })),
      contexts: contexts.map((one) => ({ name: one, context: { cluster: one, user: one } })),
    }
    paths[name] = join(directory, `${name}.kubeconfig`)
    writeFileSync(paths[name], JSON.stringify(config), { mode: 0o600 })
  }
  return paths
}

/** A token of a ServiceAccount, as a Pod would be given one. */
export async function tokenOf(api: Api, account: string, namespace = 'drover'): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 7200 } }
  const answer = (await api.call('POST', path, { body })) as { status: { token: string } } | undefined
  if (!answer) throw new Error(`Cannot get a token: there is no ServiceAccount ${account} in namespace ${namespace}`)
  return answer.status.token
}
