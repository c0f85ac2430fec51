"""Patients in SQLite."""

from datetime import date

from sqlalchemy import CheckConstraint, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from .schemas import Patient


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "patients"
    __table_args__ = (
        CheckConstraint("sex IN ('male', 'female', 'other', 'unknown')", name="known_sex"),
        CheckConstraint("birth_date >= '1900-01-01'", name="born_after_1900"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    mrn: Mapped[str] = mapped_column(unique=True)
    family: Mapped[str] = mapped_column(index=True)
    given: Mapped[str]
    birth_date: Mapped[date]
    sex: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str]
    address: Mapped[str]
    ssn: Mapped[str]


class Store:
    """The patients of one database file."""

    def __init__(self, path):
        self.engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
        Base.metadata.create_all(self.engine)

    def add(self, patient, before_commit):
        """Raises sqlalchemy.exc.IntegrityError for a second patient of the same number, or one the table refuses."""
        with Session(self.engine) as session:
            session.add(Row(**patient.model_dump()))
            session.flush()
            before_commit()
            session.commit()

    def get(self, patient_id):
        """Raises KeyError for an id that nobody has."""
        with Session(self.engine) as session:
            row = session.get(Row, patient_id)
            if row is None:
                raise KeyError("no such patient")
            return Patient(**{name: getattr(row, name) for name in Patient.model_fields})

    def search(self, family, birth_date):
        """Ids, in order, of the patients with this name and birth date; None leaves one open."""
        query = select(Row.id).order_by(Row.id)
        if family is not None:
            query = query.where(Row.family == family)
        if birth_date is not None:
            query = query.where(Row.birth_date == birth_date)
        with Session(self.engine) as session:
            return list(session.scalars(query))
