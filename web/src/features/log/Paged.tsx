import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { asApiError } from "../../api/errors.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, useSlowly } from "../../design/index.ts";

export interface PagedProps {
  query: UseInfiniteQueryResult;
  /** What is said when the server answers with this code; there is no trying again then. */
  refusals: Readonly<Record<string, string>>;
  /** What there is, and what is said when there is nothing. */
  children: ReactNode;
}

/** What comes from the server page by page: being fetched, refused, failed, or here with more to come. */
export function Paged({ query, refusals, children }: PagedProps) {
  const { t } = useTranslation(["log", "common"]);
  const errorText = useErrorText();
  const isSlow = useSlowly();
  const refusal = query.isError ? refusals[asApiError(query.error).code] : undefined;
  return (
    <>
      {query.isError && (
        <div className="log__text" role="alert">
          <p>{refusal ?? errorText(query.error)}</p>
          {refusal === undefined && (
            <Button
              size="dense"
              onPress={() =>
                void (query.data === undefined ? query.refetch() : query.fetchNextPage())
              }
            >
              {t("common:retry")}
            </Button>
          )}
        </div>
      )}
      {query.isPending && isSlow && (
        <p className="log__text" role="status">
          {t("loading")}
        </p>
      )}
      {query.data !== undefined && children}
      {query.hasNextPage && (
        <Button
          variant="line"
          isBusy={query.isFetchingNextPage}
          onPress={() => void query.fetchNextPage()}
        >
          {t("more")}
        </Button>
      )}
    </>
  );
}
