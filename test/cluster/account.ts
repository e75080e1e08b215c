import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { parseYaml } from '../../shared/yaml.ts'
import { tokenOf } from './access.ts'
import type { Api } from './api.ts'
import type { ControlPlane } from './control-plane.ts'

/** The API server as one of Drover's ServiceAccounts sees it. */
export interface Account {
  /** One request; what the server says to it, and no error whatever it says. */
  ask(method: string, path: string, body?: object, type?: string): Promise<{ status: number; message: string }>
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority': string } }[]
}

export async function asAccount(api: Api, { kubeconfig }: ControlPlane, name: string): Promise<Account> {
  const { clusters } = parseYaml(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
  const [{ cluster } = { cluster: { server: '', 'certificate-authority': '' } }] = clusters
  const ca = readFileSync(cluster['certificate-authority'])
  const authorization = `Bearer ${await tokenOf(api, name)}`
  return {
    async ask(method, path, body, type = 'application/json') {
      const headers = { authorization, accept: 'application/json', ...(body && { 'content-type': type }) }
      const answer = await new Promise<{ status: number; said: string }>((done, fail) => {
        const sent = request(new URL(path, cluster.server), { ca, method, headers }, (response) => {
          text(response).then((said) => done({ status: response.statusCode ?? 0, said }), fail)
        })
        sent.once('error', fail)
        sent.end(body && JSON.stringify(body))
      })
      return { status: answer.status, message: (JSON.parse(answer.said) as { message?: string }).message ?? '' }
    },
  }
}
