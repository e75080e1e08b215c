import { parse } from 'yaml'
import { type Answer, known, map } from './answer.ts'
import type { Area, Data, List, Names } from './area.ts'
import type { Asker } from './ask.ts'
import { choosable, isAccepted, readChosen } from './cluster-sets.ts'
import { advice, cannotTell, type Finding, judge, lacks, ok } from './finding.ts'

/** One name for a cluster everywhere: as ManagedCluster, in Argo CD, as a context of Drover's kubeconfig and of this one. */

/** What is read of a Secret by which Argo CD knows a cluster: never its credentials. */
interface ArgocdCluster {
  name: string
  server: string
}

export interface NamesFacts {
  /** The accepted ManagedClusters. */
  clusters: Answer<string[]>
  /** Those that a Placement may choose. */
  choosable: Answer<string[]>
  argocd: Answer<ArgocdCluster[]>
  isInClusterOff: Answer<boolean>
  /** The contexts of the kubeconfig in Secret drover-clusters. */
  contexts: Answer<string[]>
}

export const clusterNames: Area<NamesFacts> = { title: 'The names of clusters', read, check }

async function read(ask: Asker, { argocd, namespace }: Names): Promise<NamesFacts> {
  const selector = encodeURIComponent('argocd.argoproj.io/secret-type=cluster')
  const [chosen, secrets, settings, kubeconfig] = await Promise.all([
    readChosen(ask, argocd),
    ask.get<List<Data>>(`/api/v1/namespaces/${argocd}/secrets?labelSelector=${selector}`),
    ask.get<Data>(`/api/v1/namespaces/${argocd}/configmaps/argocd-cm`),
    ask.get<Data>(`/api/v1/namespaces/${namespace}/secrets/drover-clusters`),
  ])
  return {
    clusters: map(chosen.clusters, (all) => all.filter(isAccepted).map(({ metadata }) => metadata.name)),
    choosable: choosable(chosen),
    argocd: map(secrets, ({ items }) =>
      items.map(({ data = {} }) => ({ name: decoded(data['name']), server: decoded(data['server']) })),
    ),
    isInClusterOff: map(settings, ({ data = {} }) => data['cluster.inClusterEnabled'] === 'false'),
    contexts: map(kubeconfig, ({ data = {} }) => contextsIn(decoded(data['kubeconfig']))),
  }
}

const decoded = (text = '') => Buffer.from(text, 'base64').toString()

function contextsIn(kubeconfig: string): string[] {
  try {
    const { contexts = [] } = (parse(kubeconfig) ?? {}) as { contexts?: { name: string }[] }
    return contexts.map(({ name }) => name)
  } catch {
    return []
  }
}

function check({ clusters, choosable, argocd, isInClusterOff, contexts }: NamesFacts, names: Names): Finding[] {
  // Without ManagedClusters there is nothing to compare; that they are missing is said elsewhere.
  if (clusters.state !== 'found') return []
  const chosen = known(choosable) ?? clusters.value
  const others = clusters.value.filter((name) => !chosen.includes(name))
  return [
    ...checkArgocd(chosen, argocd, names.argocd),
    ...checkOwn(argocd, isInClusterOff),
    ...checkDrover(chosen, contexts, names.namespace),
    ...others.flatMap((name) => checkOther(name, argocd, contexts)),
    ...checkHere(clusters.value, names.contexts),
  ]
}

/** What a GitOpsCluster says where Argo CD is to run on the cluster itself, and not to reach it from here. */
const dummyOf = (name: string) => `https://${name}-control-plane`

function checkArgocd(clusters: string[], argocd: Answer<ArgocdCluster[]>, namespace: string): Finding[] {
  const none = lacks('Argo CD knows no cluster', 'argocd cluster add CONTEXT --name NAME, for each ManagedCluster')
  return judge(argocd, `Argo CD's cluster Secrets in namespace ${namespace}`, none, (all) => {
    const twice = clusters.filter((name) => all.filter((one) => one.name === name).length > 1)
    const unknown = clusters.filter((name) => !all.some((one) => one.name === name))
    const unreachable = clusters.filter((name) => all.some((one) => one.name === name && one.server === dummyOf(name)))
    const others = all.map(({ name }) => name).filter((name) => !clusters.includes(name))
    const hint = others.length > 0 ? ` (it knows ${others.join(', ')})` : ''
    return [
      ...unknown.map((name) =>
        lacks(
          `Argo CD knows no cluster by the name of ManagedCluster ${name}${hint}: an Application for it could not be applied`,
          `argocd cluster add CONTEXT --name ${name}, or a GitOpsCluster of Advanced Cluster Management without spec.managedServiceAccountRef`,
        ),
      ),
      ...twice.map((name) =>
        lacks(
          `Argo CD has two clusters of the name ${name}, and then takes neither`,
          `leave one Secret of that name in namespace ${namespace}`,
        ),
      ),
      ...unreachable.map((name) =>
        lacks(
          `Argo CD has a dummy for the address of ${name}, ${dummyOf(name)}: nothing could be applied to it`,
          `take spec.createBlankClusterSecrets and spec.gitopsAddon out of the GitOpsCluster and delete the Secret that it made in namespace ${namespace}, or argocd cluster add CONTEXT --name ${name} in the place of both`,
        ),
      ),
      ...(unknown.length + twice.length + unreachable.length === 0
        ? [ok(`Argo CD knows ${clusters.join(', ')} by the same name`)]
        : []),
    ]
  })
}

/** The root Application goes to `in-cluster`, which is what Argo CD calls its own cluster unless told otherwise. */
function checkOwn(argocd: Answer<ArgocdCluster[]>, isInClusterOff: Answer<boolean>): Finding[] {
  if (argocd.state !== 'found') return []
  const own = argocd.value.find(({ server }) => server === 'https://kubernetes.default.svc')
  const isOff = isInClusterOff.state === 'found' && isInClusterOff.value
  if (isOff)
    return [
      lacks(
        'cluster.inClusterEnabled of argocd-cm is false, so that nothing can be applied to the hub',
        'set it to true, or the destination of Application drover-hub to a name that Argo CD has for the hub',
      ),
    ]
  if (own === undefined || own.name === 'in-cluster') return []
  return [
    advice(
      `Argo CD calls the hub ${own.name}, not in-cluster`,
      `set spec.destination.name of Application drover-hub to ${own.name}`,
    ),
  ]
}

function checkDrover(clusters: string[], contexts: Answer<string[]>, namespace: string): Finding[] {
  const todo = `add it to the kubeconfig in Secret drover-clusters of namespace ${namespace}, as docs/install.md says`
  // That there is no such Secret is said where Secrets are looked at.
  if (contexts.state !== 'found') return []
  const without = clusters.filter((name) => !contexts.value.includes(name))
  if (without.length === 0) return [ok(`Drover's kubeconfig has a context for ${clusters.join(', ')}`)]
  return without.map((name) =>
    lacks(`Drover's kubeconfig has no context for ManagedCluster ${name}: functions cannot read it`, todo),
  )
}

/** A cluster that no Placement chooses: a request may still name it, and machines may be there since before. */
function checkOther(name: string, argocd: Answer<ArgocdCluster[]>, contexts: Answer<string[]>): Finding[] {
  const unknown = [
    ...(known(argocd)?.every((one) => one.name !== name) ? ['Argo CD'] : []),
    ...(known(contexts)?.includes(name) === false ? ["Drover's kubeconfig"] : []),
  ]
  if (unknown.length === 0) return []
  return [
    advice(
      `ManagedCluster ${name} is in no bound set, and ${unknown.join(' and ')} does not have it`,
      'nothing, unless machines are to be on it, or are',
    ),
  ]
}

function checkHere(clusters: string[], contexts: string[]): Finding[] {
  const unseen = clusters.filter((name) => !contexts.includes(name))
  const strange = contexts.filter((name) => !clusters.includes(name))
  return [
    ...unseen.map((name) =>
      cannotTell(
        `This kubeconfig has no context ${name}: that cluster was not looked at`,
        `kubectl config rename-context CONTEXT ${name}, or --kubeconfig with one that has it`,
      ),
    ),
    ...(strange.length === 0
      ? []
      : [
          advice(
            `This kubeconfig's ${strange.join(', ')} is not called like a ManagedCluster, and was not looked at`,
            'nothing, unless it is one: kubectl config rename-context',
          ),
        ]),
  ]
}
