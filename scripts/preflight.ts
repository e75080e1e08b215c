import { delimiter } from 'node:path'
import { parseArgs } from 'node:util'
import { KubeConfig } from '@kubernetes/client-node'
import { openAccess } from '../shared/clients/access.ts'
import { environment } from '../shared/config.ts'
import { messageOf } from '../shared/errors.ts'
import { known } from './preflight/answer.ts'
import type { Data, List, Named, Names } from './preflight/area.ts'
import { type Asker, askerOf } from './preflight/ask.ts'
import { lookAtHub, lookAtManaged, type Report } from './preflight/clusters.ts'
import { shown } from './preflight/show.ts'

/** `npm run preflight -- --kubeconfig FILE`: what the hub and the managed clusters lack, and what to do about it. */

const usage =
  'npm run preflight -- [--kubeconfig FILE[:FILE]] [--hub-context NAME] [--namespace NAME] [--argocd-namespace NAME] [--reader NAMESPACE/NAME] [--json]'

/** What is to be said, and whether anything is lacking. */
export async function preflight(args: string[]): Promise<{ said: string; isLacking: boolean }> {
  const { values } = parseArgs({
    args,
    options: {
      kubeconfig: { type: 'string' },
      'hub-context': { type: 'string', default: 'hub' },
      namespace: { type: 'string', default: 'drover' },
      'argocd-namespace': { type: 'string' },
      reader: { type: 'string', default: 'drover-reader/drover-reader' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return { said: `${usage}\n`, isLacking: false }
  const { namespace, 'hub-context': hubContext } = values
  const files = contextsOf(values.kubeconfig ?? (environment()['KUBECONFIG'] || undefined))
  const contexts = [...files.keys()]
  if (!files.has(hubContext))
    throw new Error(
      `Cannot look at the hub: the kubeconfig has no context "${hubContext}" but ${contexts.join(', ') || 'none'}; name it by --hub-context`,
    )
  const [readerNamespace = '', readerName = ''] = values.reader.split('/')
  const to = (context: string) => openAccess({ kubeconfig: files.get(context), hubContext })(context)
  const hub = askerOf(to(hubContext))
  const settings = await installedSettings(hub, namespace)
  const names: Names = {
    namespace,
    argocd: values['argocd-namespace'] ?? settings['DROVER_ARGOCD_NAMESPACE'] ?? 'argocd',
    project: settings['DROVER_ARGOCD_PROJECT'] ?? 'default',
    rootApplication: settings['DROVER_ARGOCD_ROOT_APPLICATION'] ?? 'drover-hub',
    reader: { namespace: readerNamespace, name: readerName },
    contexts: contexts.filter((name) => name !== hubContext),
  }
  const reports: Report[] = [
    await lookAtHub(hubContext, hub, names),
    ...(await Promise.all(
      (await managed(hub, names)).map((context) => lookAtManaged(context, askerOf(to(context)), names)),
    )),
  ]
  const states = reports.flatMap(({ areas }) => areas.flatMap(({ findings }) => findings.map(({ state }) => state)))
  const said = values.json ? `${JSON.stringify(reports, null, 2)}\n` : shown(reports)
  return { said, isLacking: states.includes('lacks') }
}

/** Each context and the file that it stands in; of several files, with a colon between them, the first that has it. */
function contextsOf(kubeconfig: string | undefined): Map<string, string | undefined> {
  const files = kubeconfig === undefined ? [undefined] : kubeconfig.split(delimiter).filter((file) => file !== '')
  const found = new Map<string, string | undefined>()
  for (const file of files) for (const name of namesIn(file)) if (!found.has(name)) found.set(name, file)
  return found
}

function namesIn(file: string | undefined): string[] {
  const config = new KubeConfig()
  try {
    if (file === undefined) config.loadFromDefault()
    else config.loadFromFile(file)
  } catch (cause) {
    throw new Error(`Cannot read the kubeconfig "${file ?? '~/.kube/config'}": ${messageOf(cause)}`, { cause })
  }
  return config.getContexts().map(({ name }) => name)
}

/** Drover's own settings, where it is installed already. */
async function installedSettings(hub: Asker, namespace: string): Promise<Record<string, string>> {
  const settings = await hub.get<Data>(`/api/v1/namespaces/${namespace}/configmaps/drover-config`)
  return known(settings)?.data ?? {}
}

/** The contexts that are called like a ManagedCluster; all of them where the hub knows none. */
async function managed(hub: Asker, { contexts }: Names): Promise<string[]> {
  const answer = await hub.get<List<Named>>('/apis/cluster.open-cluster-management.io/v1/managedclusters')
  const clusters = known(answer)?.items.map(({ metadata }) => metadata.name)
  return contexts.filter((name) => clusters?.includes(name) ?? true)
}

async function main(): Promise<void> {
  try {
    const { said, isLacking } = await preflight(process.argv.slice(2))
    process.stdout.write(said)
    if (isLacking) process.exitCode = 1
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = 1
  }
}

if (import.meta.main) await main()
