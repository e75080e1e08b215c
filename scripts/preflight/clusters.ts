import { type Area, look, type Names } from './area.ts'
import { argocd } from './argocd.ts'
import { argocdRights } from './argocd-rights.ts'
import type { Asker } from './ask.ts'
import { broker } from './broker.ts'
import { clusterNames } from './cluster-names.ts'
import type { Finding } from './finding.ts'
import { functions } from './functions.ts'
import { eventing, serving } from './knative.ts'
import { kubernetes } from './kubernetes.ts'
import { kubevirt } from './kubevirt.ts'
import { networks } from './networks.ts'
import { ocm } from './ocm.ts'
import { hubRights, readerRights } from './rights.ts'
import { storage } from './storage.ts'

/** What was found in one cluster, by subject. */
export interface Report {
  cluster: string
  areas: { title: string; findings: Finding[] }[]
}

const onHub = kubernetes('1.30', 'ValidatingAdmissionPolicies hold functions to what they may change')
const onManaged = kubernetes('1.29', 'KubeVirt 1.4 wants it')

export const lookAtHub = (cluster: string, ask: Asker, names: Names): Promise<Report> =>
  lookAt(cluster, ask, names, onHub, [
    looking(eventing),
    looking(serving),
    looking(broker),
    looking(argocd),
    looking(argocdRights),
    looking(ocm),
    looking(clusterNames),
    looking(functions),
    looking(hubRights),
  ])

export const lookAtManaged = (cluster: string, ask: Asker, names: Names): Promise<Report> =>
  lookAt(cluster, ask, names, onManaged, [
    looking(kubevirt),
    looking(networks),
    looking(storage),
    looking(readerRights),
  ])

type Looking = (ask: Asker, names: Names) => Promise<Report['areas'][number]>

const looking =
  <Facts>(area: Area<Facts>): Looking =>
  async (ask, names) => ({ title: area.title, findings: await look(area, ask, names) })

/** Where nobody answers nothing else is asked. */
async function lookAt(cluster: string, ask: Asker, names: Names, first: typeof onHub, others: Looking[]) {
  const version = await looking(first)(ask, names)
  const isThere = (await ask.get('/version')).state === 'found'
  const rest = isThere ? await Promise.all(others.map((one) => one(ask, names))) : []
  return { cluster, areas: [version, ...rest].filter(({ findings }) => findings.length > 0) }
}
