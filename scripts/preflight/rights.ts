import { ocm } from '../../shared/clients/kinds.ts'
import { type Answer, map } from './answer.ts'
import type { Area } from './area.ts'
import type { Asker } from './ask.ts'
import { advice, cannotTell, type Finding, lacks, ok } from './finding.ts'

/** What each function's ServiceAccount may do on the hub, and the reader on a managed cluster: what they use, and no more. */

export interface Right {
  verb: string
  group: string
  resource: string
  /** Everywhere when left out. */
  namespace?: string
}

/** One ServiceAccount; none: whoever the kubeconfig belongs to. */
export interface Account {
  namespace: string
  name: string
}

export interface RightsFacts {
  accounts: { account: Account | undefined; needed: Reviewed[]; forbidden: Reviewed[] }[]
}

interface Reviewed {
  right: Right
  isAllowed: Answer<boolean>
}

export const rights = (verbs: string, group: string, resource: string, namespace?: string): Right[] =>
  verbs.split(' ').map((verb) => ({ verb, group, resource, ...(namespace === undefined ? {} : { namespace }) }))

/** What functions do on the hub; those that are not named do nothing there. */
export const neededOnHub = (argocd: string): Record<string, Right[]> => ({
  locate: [...rights('get', ocm, 'managedclusters'), ...rights('list watch', 'argoproj.io', 'applications', argocd)],
  place: [
    ...rights('get', ocm, 'managedclusters'),
    ...rights('list watch', ocm, 'placements', argocd),
    ...rights('list watch', ocm, 'placementdecisions', argocd),
    ...rights('get patch', 'argoproj.io', 'applications', argocd),
  ],
  verify: rights('get list watch patch', 'argoproj.io', 'applications', argocd),
  recover: rights('get list watch patch', 'argoproj.io', 'applications', argocd),
})

const forbiddenOnHub = (argocd: string, namespace: string): Right[] => [
  ...rights('create update delete', 'argoproj.io', 'applications', argocd),
  ...rights('create patch', ocm, 'placements', argocd),
  ...rights('get list', '', 'secrets', argocd),
  ...rights('get list', '', 'secrets', namespace),
  ...rights('create', '', 'pods', namespace),
]

export const neededOfReader: Right[] = [
  ...rights('get list watch', 'kubevirt.io', 'virtualmachines'),
  ...rights('list watch', 'kubevirt.io', 'virtualmachineinstances'),
  ...rights('list watch', 'kubevirt.io', 'virtualmachineinstancemigrations'),
  ...rights('list watch', 'cdi.kubevirt.io', 'datavolumes'),
  ...rights('get list watch', 'cdi.kubevirt.io', 'datasources'),
  ...rights('list watch', 'cdi.kubevirt.io', 'dataimportcrons'),
  ...rights('get list watch', 'snapshot.kubevirt.io', 'virtualmachinesnapshots'),
  ...rights('list watch', 'snapshot.kubevirt.io', 'virtualmachinerestores'),
  ...rights('get', 'snapshot.kubevirt.io', 'virtualmachinesnapshotcontents'),
  ...rights('get', 'storage.k8s.io', 'storageclasses'),
  ...rights('list watch', 'batch', 'jobs'),
  ...rights('get', '', 'persistentvolumeclaims'),
  ...rights('list', '', 'pods'),
  ...rights('list watch', 'external-secrets.io', 'externalsecrets'),
]

const forbiddenToReader: Right[] = [
  ...rights('create update patch delete', 'kubevirt.io', 'virtualmachines'),
  ...rights('create patch delete', 'cdi.kubevirt.io', 'datavolumes'),
  ...rights('delete', '', 'persistentvolumeclaims'),
  ...rights('get list', '', 'secrets'),
  ...rights('create', '', 'pods'),
]

export const hubRights: Area<RightsFacts | undefined> = {
  title: 'Rights',
  async read(ask, { namespace, argocd }) {
    // Before it is installed there is nobody to have rights.
    if ((await ask.get(`/api/v1/namespaces/${namespace}`)).state === 'missing') return undefined
    const accounts = Object.entries(neededOnHub(argocd)).map(async ([name, needed]) => {
      const account = { namespace, name }
      return review(ask, account, needed, forbiddenOnHub(argocd, namespace))
    })
    return { accounts: await Promise.all(accounts) }
  },
  // That Drover is not installed is said elsewhere.
  check: (facts) => (facts ? checkRights(facts, 'kubectl apply -k examples/install/hub') : []),
}

/** The reader's ServiceAccount, or, where one may not ask about others, whoever the kubeconfig belongs to. */
export const readerRights: Area<RightsFacts | undefined> = {
  title: 'Rights',
  async read(ask, { reader }) {
    const [first] = neededOfReader
    const mayAsk = first && (await reviewOne(ask, reader, first)).isAllowed.state === 'found'
    const account = mayAsk ? reader : undefined
    if (account && (await ask.get(`/api/v1/namespaces/${reader.namespace}`)).state === 'missing') return undefined
    return { accounts: [await review(ask, account, neededOfReader, forbiddenToReader)] }
  },
  check(facts, { reader }) {
    const todo = 'kubectl apply -k broker/managed-cluster'
    if (facts) return checkRights(facts, todo)
    return [cannotTell(`There is no namespace ${reader.namespace} yet`, `${todo}, then run this again`)]
  },
}

export async function review(ask: Asker, account: Account | undefined, needed: Right[], forbidden: Right[]) {
  const all = (list: Right[]) => Promise.all(list.map((right) => reviewOne(ask, account, right)))
  return { account, needed: await all(needed), forbidden: await all(forbidden) }
}

async function reviewOne(ask: Asker, account: Account | undefined, right: Right): Promise<Reviewed> {
  const apiVersion = 'authorization.k8s.io/v1'
  const kind = account ? 'SubjectAccessReview' : 'SelfSubjectAccessReview'
  const spec = { resourceAttributes: right, ...(account && subjectOf(account)) }
  const answer = await ask.review<{ status: { allowed: boolean } }>(`/apis/${apiVersion}/${kind.toLowerCase()}s`, {
    apiVersion,
    kind,
    spec,
  })
  return { right, isAllowed: map(answer, ({ status }) => status.allowed) }
}

/** A ServiceAccount is in these groups too, and rights may be granted to them. */
const subjectOf = ({ namespace, name }: Account) => ({
  user: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${namespace}`],
})

export function checkRights(facts: RightsFacts, todo: string): Finding[] {
  return facts.accounts.flatMap(({ account, needed, forbidden }) => {
    const who = account ? `ServiceAccount ${account.namespace}/${account.name}` : "this kubeconfig's user"
    const silent = [...needed, ...forbidden].find(({ isAllowed }) => isAllowed.state !== 'found')
    if (silent)
      return [cannotTell(`The rights of ${who} are not said${whyOf(silent.isAllowed)}`, 'run this as an administrator')]
    const lacking = needed.filter(({ isAllowed }) => !holds(isAllowed))
    const extra = forbidden.filter(({ isAllowed }) => holds(isAllowed))
    return [
      lacking.length === 0
        ? ok(`It lets ${who} do what it has to`)
        : lacks(`It does not let ${who} ${listed(lacking)}`, todo),
      ...(extra.length === 0
        ? []
        : [
            advice(
              `It lets ${who} ${listed(extra)}, which Drover never does`,
              'take that from it: find what binds it by kubectl get rolebindings,clusterrolebindings -A -o wide',
            ),
          ]),
    ]
  })
}

const holds = (answer: Answer<boolean>) => answer.state === 'found' && answer.value
const whyOf = (answer: Answer<boolean>) => (answer.state === 'hidden' ? `: ${answer.why}` : '')

/** `get and list secrets, patch applications in argocd`. */
function listed(reviewed: Reviewed[]): string {
  const verbs = new Map<string, string[]>()
  for (const { right } of reviewed) {
    const where = right.namespace === undefined ? '' : ` in ${right.namespace}`
    const what = `${right.resource}${right.group === '' ? '' : `.${right.group}`}${where}`
    verbs.set(what, [...(verbs.get(what) ?? []), right.verb])
  }
  return [...verbs].map(([what, some]) => `${some.join(' and ')} ${what}`).join(', ')
}
